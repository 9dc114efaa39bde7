"""Grammar: predict the next word of text from a fixed probabilistic context-free grammar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, symbols_of
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.predict.phrases import KINDS, stacks, vocabulary

#: More levels have too many stacks.
MOST_DEPTH = 3


@register_task("grammar")
@dataclass(frozen=True)
class Grammar(SymbolTask):
    """Predict each next word of a made-up language (language modelling; this suite's own grammar).

    ``dogs who cat sees sleep . cat -> who cat sees sleep . cat sees``, in made-up words.

    The grammar is in ``ntmbench.tasks.predict.phrases``, where every rule has its probability, and
    all words of a kind are equally likely. A sentence is a noun and a verb, perhaps with an object.
    Nouns may have a relative clause, in which other nouns may have one, up to ``depth`` deep. A
    verb agrees in number with its noun, across all clauses between them: nouns in -n are several,
    and go with verbs in -k, others are one and go with verbs in -t. Two nouns have the same form
    for both. A text of L words begins with a sentence and is cut off after L words. T = L - 1,
    every word but the first is predicted, and input and answer run side by side.

    No predictor can do better than the oracle: the probability of the words until and including
    the next one over that of the words until now, each the sum over all derivations that begin so
    (prefix probabilities, as of the inside algorithm). At the default sizes it makes 25.1 errors on
    39 words, with a loss of 85.6 bits.

    The idea is that of "Lano" in Physics of Language Models 4.1. Here the words between
    a noun and its verb tell how long a model keeps a number. The shortest texts are few, so that
    those of the tests occur in training too.

    Nine words (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Grammar()
        >>> print(as_words(task, task.test_set(length=9, sequences=1)))
        gogen [radak] radak [.] . [gogen] gogen [vokek] vokek [baban] baban [.] . [dupon] dupon [lo]
    """

    #: How deep clauses are embedded at most.
    depth: int = 2
    #: Shortest text in training, in words.
    min_length: int = 40
    #: Longest text in training, in words.
    max_length: int = 40

    family = "predict"
    axis = "words"
    version = 1
    lengths = Lengths(40, test=(20, 40, 80, 160), select=((1, 1), (3, 2)))
    deterministic = False

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.depth", self.depth, 0, MOST_DEPTH)
        check_length_range(self.min_length, self.max_length, shortest=self.shortest_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The words."""
        words: tuple[str, ...] = vocabulary()
        return words

    @property
    def output_names(self) -> tuple[str, ...]:
        """The words."""
        return self.input_names

    @property
    def shortest_length(self) -> int:
        """A word and the next one."""
        return 2

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    @property
    def shortcuts(self) -> Shortcuts:
        """A sentence begins with a noun, and a word tells what kind may follow it.

        The place saved 0.02 of the errors, and the word before 0.08.
        """
        return Shortcuts(place=0.02, current=0.08)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` words for each sequence; nothing else varies."""
        machine, begin, count = stacks(self.depth), _first_words(), _counts()
        bounds = machine.share.cumsum(axis=1)[:, :-1]
        coins = words.uniform(2, length, batch_size)
        state = np.zeros(batch_size, np.int64)
        text = np.empty((length, batch_size), np.int64)
        for step, (rule_coin, word_coin) in enumerate(coins.swapaxes(0, 1)):
            rule = (rule_coin[:, np.newaxis] >= bounds[state]).sum(axis=1)
            kind = machine.kind[state, rule]
            text[step] = begin[kind] + (word_coin * count[kind]).astype(np.int64)
            state = machine.after[state, rule]
        return self.batch(text[:-1], text[1:], answer_start=0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The optimal prediction, from the probabilities of the stacks that fit so far."""
        machine, kind_of = stacks(self.depth), np.repeat(np.arange(len(KINDS)), _counts())
        same = machine.kind[..., np.newaxis] == np.arange(len(KINDS))  # [N, R, kinds]
        of_kind = (same * machine.share[..., np.newaxis]).sum(
            axis=1
        )  # of the next word, [N, kinds]
        of_word = (of_kind / _counts())[:, kind_of]
        shown = kind_of[symbols_of(inputs)]
        steps, batch_size = shown.shape
        state = np.zeros((1, batch_size), np.int64)  # the stacks that fit, [H, B]
        weight = np.ones((1, batch_size))
        solved = np.zeros((steps, batch_size, self.output_width), np.float32)
        for step, kind in enumerate(shown):
            fits = machine.kind[state] == kind[:, np.newaxis]  # [H, B, R]
            each = np.where(fits, weight[..., np.newaxis] * machine.share[state], 0)
            moved, joint = (
                array.swapaxes(1, 2).reshape(-1, batch_size)
                for array in (machine.after[state], each)
            )
            most = int((joint > 0).sum(axis=0).max())
            order = (-joint).argsort(axis=0, kind="stable")[:most]
            state, weight = (np.take_along_axis(of, order, axis=0) for of in (moved, joint))
            weight /= weight.sum(axis=0)
            solved[step] = (weight[..., np.newaxis] * of_word[state]).sum(axis=0)
        return solved

    def chance(self, length: int) -> Chance:
        """The best constant is the mean of the words' probabilities over the text."""
        machine = stacks(self.depth)
        likely: NDArray[np.float64] = np.zeros(len(machine.share))
        likely[0] = 1
        seen = np.zeros(len(KINDS))
        for step in range(length):
            joint = likely[:, np.newaxis] * machine.share
            if step:
                seen += np.bincount(machine.kind.ravel(), joint.ravel(), len(KINDS))
            likely = np.bincount(machine.after.ravel(), joint.ravel(), len(likely)).astype(float)
        asked, counts = length - 1, _counts()
        word = seen / counts / asked
        bits = -(counts * word * np.log2(np.where(word > 0, word, 1))).sum()
        return Chance(float(asked * (1 - word.max())), float(asked * bits))

    def demand(self, length: int) -> int:
        """One for each clause that may be open, and one for the sentence."""
        return self.depth + 1


def _counts() -> NDArray[np.int64]:
    """The number of words of each kind."""
    return np.array(list(KINDS.values()))


def _first_words() -> NDArray[np.int64]:
    """The first word of each kind."""
    return _counts().cumsum() - _counts()

"""Grammar: predict the next word of text from a fixed probabilistic context-free grammar."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ntmbench.answer import Chance
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, symbols_of
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation
from ntmbench.tasks.predict.phrases import vocabulary
from ntmbench.tasks.predict.text import drawn_text, mean_words, next_words

#: More levels have too many stacks.
MOST_DEPTH = 3


@register_task("grammar")
@dataclass(frozen=True)
class Grammar(SymbolTask):
    """Predict each next word of text in a made-up language, from a probabilistic grammar.

    ``dogs who cat sees sleep . cat -> who cat sees sleep . cat sees``, in made-up words.

    A text is sentences by these rules, cut off after L words. Alternatives are equally likely. The
    number of each noun, n or m, is one or several with equal chances, and d is how deep a clause
    lies, 0 in a sentence::

        sentence      noun(n) clause(n, 0)? verb(n, 0) "."
        verb(n, d)    a verb of number n without an object, or
                      a verb of number n with one, noun(m) clause(m, d)?
        clause(n, d)  "who" verb(n, d + 1), or
                      "who" noun(m) clause(m, d + 1)? and a verb of number m with an object

    Where a question mark stands, there is a clause with probability 0.3 if its d is below
    ``depth``, and none otherwise. A noun is one of three of its number with probability 4/5, and
    else one of two that have the same form for both numbers. There are two verbs of each number
    without an object, and two with one. All words of a kind are equally likely. Nouns for several
    are those for one with -n; verbs end in -t for one and in -k for several. So a verb agrees in
    number with its noun, across all clauses between them. The channels are in this order: nouns for
    one, for several and for both, verbs without an object for one and for several, verbs with an
    object for one and for several, "who" and the full stop. T = L - 1, every word but the first is
    predicted, and input and answer run side by side.

    No predictor can do better than the oracle: the probability of the words until and including
    the next one over that of the words until now, each the sum over all derivations that begin so
    (prefix probabilities, as of the inside algorithm). At the default sizes it makes 25.1 errors on
    39 words, with a loss of 85.6 bits. By chance (L - 1) (1 - p) of them are wrong, where p is the
    mean probability over the text of the likeliest word, the full stop. Variations test other
    depths. Sources are not defined: every word so far bears on the probabilities.

    The idea is that of "Lano" in Physics of Language Models 4.1; the grammar is this suite's own.
    Here the words between a noun and its verb tell how long a model keeps a number. The shortest
    texts are few, so that those of the tests occur in training too.

    Nine words (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Grammar()
        >>> print(as_words(task, task.test_set(length=9, sequences=1)))
        gogen [radak] radak [.] . [gogen] gogen [vokek] vokek [baban] baban [.] . [dupon] dupon [lo]
    """

    #: How deep clauses are embedded at most, from 0 to 3.
    depth: int = 2
    #: Shortest text in training, in words, from 2 to ``max_length``.
    min_length: int = 40
    #: Longest text in training, in words, from 2 to 100000.
    max_length: int = 40

    family = "predict"
    axis = "words"
    version = 1
    lengths = Lengths(40, test=(40, 80, 160), select=((1, 1), (3, 2)))
    deterministic = False
    sentence_steps = 0  # a full stop ends each

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
    def variations(self) -> dict[str, Variation]:
        """All other depths, at the longest training length."""
        return {
            f"depth {depth}": Variation(replace(self, depth=depth), self.max_length)
            for depth in range(MOST_DEPTH + 1)
            if depth != self.depth
        }

    @property
    def shortcuts(self) -> Shortcuts:
        """A sentence begins with a noun, and a word tells what kind may follow it.

        The place saved 0.02 of the errors, the word before 0.10, and all words so far, in whatever
        order, 0.16.
        """
        return Shortcuts(place=0.02, current=0.1, bag=0.16)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` words for each sequence; nothing else varies."""
        text = drawn_text(words, self.depth, length, batch_size)
        return self.batch(text[:-1], text[1:], answer_start=0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The optimal prediction, from the probabilities of the stacks that fit so far."""
        solved: FloatArray = next_words(symbols_of(inputs), self.depth).astype(np.float32)
        return solved

    def chance(self, length: int) -> Chance:
        """The best constant is the mean of the words' probabilities over the text."""
        word, asked = mean_words(length, self.depth), length - 1
        bits = -(word * np.log2(np.where(word > 0, word, 1))).sum()
        return Chance(float(asked * (1 - word.max())), float(asked * bits))

    def demand(self, length: int) -> int:
        """One for each clause that may be open, and one for the sentence."""
        return self.depth + 1

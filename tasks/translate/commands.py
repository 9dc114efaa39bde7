"""Commands: translate what shall be done into the actions, in the order in which they are done."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.edits import other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import (
    SILENT,
    SymbolTask,
    check_symbols,
    symbols_of,
    then_answer,
    with_end,
)
from ntmbench.data.vocabulary import END, made_up
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.translate.actions import LEFT, WORDS, Parts, carried_out, parts_of, said


@register_task("commands")
@dataclass(frozen=True)
class Commands(SymbolTask):
    """Translate L commands into actions (after SCAN: Lake and Baroni 2018, section 2).

    ``a left twice after b | -> B LEFT A LEFT A |``: first B, then what stands before "after".

    A command is a verb; then nothing, or a direction, which is turned to before the action, or
    "opposite" and a direction, which is turned to twice; then nothing, "twice" or "thrice". "And"
    puts the actions of the next command behind all those before, "after" puts them in front of all
    those before. A delimiter ends the commands, and another one the answer; the input is silent
    there. Silence before the commands fills them up to 5 L steps, so that all sequences end at the
    same step. The answer starts there and has 9 L + 1 steps, of which those up to the delimiter are
    scored. T = 14 L + 1.

    Verbs are uniform, and so are the five directions (none, left, right, and the opposite of
    either), one to three repeats, and "and" or "after".

    An answer has 4.4 L + 1 words in the mean: two actions a command, 1.2 turns to either side, and
    the delimiter. By chance all are wrong but the 1.2 L turns to one side.

    Short sequences come again: there are 15 commands for each verb, and (15 ``verbs``)^L 2^(L - 1)
    sequences, all equally likely. At the default sizes these are 60 of one command, 7,200 of two
    and 864,000 of three. A training on n of two commands has seen 1 - exp(-n / 7200) of those of
    the tests: 63 % if n is 7,200, and 99 % if it is 33,000.

    The source joins two commands at most, and has "turn", a verb without an action, and "around",
    four turns with the action after each.

    Two commands (the answer in brackets, without the silence before and behind)::

        >>> from ntmbench.data.text import as_words
        >>> task = Commands()
        >>> batch = task.test_set(length=2, sequences=64)
        >>> print(as_words(task, batch, sequence=8).strip("_ "))
        dupo opposite right after baba twice | [BABA] [BABA] [RIGHT] [RIGHT] [DUPO] [|]
    """

    #: Number of different verbs, from 2 to 4096.
    verbs: int = 4
    #: Fewest commands in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most commands in training, from 1 to 100000.
    max_length: int = 3

    family = "translate"
    axis = "commands"
    version = 1
    lengths = Lengths(3, test=(2, 3, 4, 6, 9), select=((1, 1), (3, 2)))
    sentence_steps = 0

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("verbs", self.verbs)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The verbs, the other words, and the delimiter."""
        return (*made_up(self.verbs), *WORDS, END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The verbs' actions, the turns, and the delimiter."""
        turns = WORDS[LEFT : LEFT + 2]
        return (*(word.upper() for word in (*made_up(self.verbs), *turns)), END)

    @property
    def sources_that_matter(self) -> float:
        """All but the delimiter, which cannot change: with one command, of 5.4 in the mean."""
        return 0.8

    @property
    def shortcuts(self) -> Shortcuts:
        """The last steps of an answer hold little but the delimiter: 0.01 of the errors were saved.

        All commands end at the same step, so that a linear read-out finds words of the last one,
        and with them some actions of it, at steps that vary little: 0.37 were saved. How often each
        word is said, in whatever order, saved 0.31.
        """
        return Shortcuts(place=0.02, bag=0.31, linear=0.37)

    def collision_entropy(self, length: int) -> float:
        """All commands are equally likely, and so are the words between them."""
        return length * math.log2(15 * self.verbs) + length - 1

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the words of each command, and how it is joined to those before."""
        check_range("length", length, 1, MAX_LENGTH)
        shape = (length, batch_size)
        verb = words.integers(0, self.verbs - 1, *shape)
        turns = words.integers(0, 4, *shape)  # none, left, right, and the opposite of either
        times = words.integers(1, 3, *shape)
        turn = np.where(turns == 0, SILENT, (turns + 1) % 2)
        parts = Parts(verb, turn, turns > 2, times, words.bits(*shape) == 1)
        question = with_end(said(parts, self.verbs), self.input_width - 1)
        named = np.where(turn == SILENT, SILENT, self.verbs + turn)
        answer = carried_out(parts._replace(turn=named), self.output_width - 1)
        return self.batch(*then_answer(question, answer), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Find the words of each command, and put its actions where they belong."""
        return self.answered(self._answered(inputs, symbols_of(inputs), self.output_width - 1))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The word of the action or turn itself; other words count as its place.

        The delimiter's source is the other delimiter.
        """
        begin = 5 * self._commands(inputs)
        steps = np.arange(len(inputs))[:, np.newaxis] + np.zeros(inputs.shape[1], int)
        return sources_at(inputs, self._answered(inputs, steps, begin - 1)[begin:])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other verbs, and the other direction."""
        kinds = (slice(self.verbs), slice(self.verbs + LEFT, self.verbs + LEFT + 2))
        return np.concatenate([other_symbols(inputs, kind) for kind in kinds])

    def chance(self, length: int) -> Chance:
        """Two actions a command, 3/5 of a turn to either side before each, and the delimiter."""
        counts = np.array([*[2 * length / self.verbs] * self.verbs, *[1.2 * length] * 2, 1])
        share = counts / counts.sum()
        loss = -float((counts * np.log2(share)).sum())
        return Chance(float(counts.sum() - counts.max()), loss)

    def demand(self, length: int) -> int:
        """One for each word."""
        return 5 * length

    def _commands(self, inputs: FloatArray) -> int:
        """The number of commands."""
        return len(inputs) // 14

    def _answered(self, inputs: FloatArray, values: Integers, end: int) -> Integers:
        """The answer ``[T, B]`` in ``values [T, B]`` of the words that it is made of."""
        count = self._commands(inputs)
        answer = carried_out(parts_of(symbols_of(inputs), values, count, self.verbs), end)
        return np.concatenate([np.full((5 * count, inputs.shape[1]), SILENT), answer])

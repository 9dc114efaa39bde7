"""Counting: whether there are as many of each symbol."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import where_possible
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import (
    SILENT,
    SymbolTask,
    one_hot,
    silence,
    then_answer,
    with_end,
)
from ntmbench.data.vocabulary import END, letters
from ntmbench.errors import SettingError, check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts

#: Kinds of symbols: a, b and c.
KINDS = 3


@register_task("counting")
@dataclass(frozen=True)
class Counting(SymbolTask):
    """Say whether a string has as many of each symbol, a^n b^n c^n (after DuSell and Chiang 2023).

    ``a a b b c c | -> yes``, ``a a a b c c | -> no``.

    A length N is the largest n. Each n from N / 2, rounded up and at least 3, to N is equally
    likely. Half of the strings are a^n b^n c^n. In the others one symbol, drawn uniformly, is there
    d times more often, and another one d times less often, where d is an even number, uniform from
    2 to ``off``, or to n - 1 if that is less. So the number of all symbols says nothing, nor does
    it whether the number of two of them is even. Symbols are one-hot, and a delimiter has a channel
    of its own. Silence comes first, so that all strings end at the same step. T = 3N + 2, and the
    only answer is asked for at step 3N + 1. The input is silent then. By chance half of the answers
    are wrong.

    Sequences are few: 143 at N = 20, and those of the tests up to that length occur in training.

    The source ("Count-3", src/cfl_language_modeling/tasks/count_3.py in its code) is about language
    modelling, and has only strings of the language. Here a model says whether a string is in it.

    Largest n = 3 (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Counting()
        >>> print(as_words(task, task.test_set(length=3, sequences=2), sequence=1))
        a a a b b b c c c | [yes]
    """

    #: By how much a count that is wrong is off at most, an even number from 2 to 100000.
    off: int = 4
    #: Shortest training sequence, in symbols of a kind, from 3 to ``max_length``.
    min_length: int = 3
    #: Longest training sequence, in symbols of a kind, from 3 to 100000.
    max_length: int = 20

    family = "track"
    axis = "symbols of a kind"
    version = 1
    few_sequences = True
    lengths = Lengths(20, test=(10, 20, 40, 80), select=((1, 1), (3, 2)))
    # Only those next to another symbol can change alone, and only if one other count is off.
    sources_that_matter = 0.1

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.off", self.off, 2, MAX_LENGTH)
        if self.off % 2 == 1:
            raise SettingError(
                f"task.off={self.off} is odd. Allowed: even numbers from 2 to {MAX_LENGTH}, "
                f"such as {self.off - 1}."
            )
        check_length_range(self.min_length, self.max_length, shortest=self.shortest_length)

    @property
    def shortest_length(self) -> int:
        """Two symbols of a kind may be left out, and one must be left."""
        return 3

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols and the delimiter."""
        return (*letters(KINDS), END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Whether all counts are alike."""
        return ("no", "yes")

    @property
    def shortcuts(self) -> Shortcuts:
        """Two counts that differ the one way give a string away, but not the other way.

        So a linear read-out of the counts finds half of the strings that are not in the language at
        best.
        """
        return Shortcuts(bag=0.5)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw n, whether the counts are alike, and if not, which of them are off by how much."""
        each = words.integers(self._least(length), length, batch_size)
        alike = words.bits(batch_size).astype(np.int64)
        most = np.minimum(self.off, each - 1) // 2
        by = 2 + 2 * (words.uniform(batch_size) * most).astype(np.int64)
        more, fewer = distinct(words, 2, KINDS, batch_size)
        counts = np.repeat(each[np.newaxis], KINDS, axis=0)  # [symbols, B]
        sequence = np.arange(batch_size)
        counts[more, sequence] += by * (1 - alike)
        counts[fewer, sequence] -= by * (1 - alike)
        question = _written(counts, length)
        return self.batch(*then_answer(question, alike[np.newaxis]), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Count each symbol."""
        counts = inputs[:, :, :KINDS].sum(axis=0)  # [B, symbols]
        alike: Integers = (counts == counts[:, :1]).all(axis=1).astype(np.int64)
        before = silence(len(inputs) - 1, inputs.shape[1])
        return self.answered(np.concatenate([before, alike[np.newaxis]]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Every symbol."""
        sources = np.zeros((*inputs.shape[:2], len(inputs)), bool)
        sources[-1] = inputs[:, :, :KINDS].any(axis=2).T
        return sources

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Strings of as many symbols: all counts alike, or two that follow each other off."""
        counts = inputs[:, :, :KINDS].sum(axis=0).T.astype(np.int64)  # [symbols, B]
        length, each = len(inputs) // KINDS, counts.sum(axis=0) // KINDS
        alike = np.repeat(each[np.newaxis], KINDS, axis=0)
        edits, possible = [alike], [each > 0]
        for first, by in product(range(KINDS - 1), range(2, min(self.off, length - 1) + 1, 2)):
            for more in (by, -by):
                edits.append(alike.copy())
                edits[-1][first] += more
                edits[-1][first + 1] -= more
                possible.append(by < each)
        questions = one_hot(np.stack([_written(edit, length) for edit in edits]), self.input_width)
        answer = np.zeros((len(edits), 1, *inputs.shape[1:]), np.float32)
        edited = np.concatenate([questions, answer], axis=1)
        return where_possible(inputs, edited, np.stack(possible))

    def chance(self, length: int) -> Chance:
        """Half of the strings have all counts alike."""
        return Chance.of_uniform_symbols(1, 2)

    def demand(self, length: int) -> int:
        """One for each count that is compared with the first."""
        return KINDS - 1

    def _least(self, length: int) -> int:
        """The least n at a length."""
        return max(self.shortest_length, -(-length // 2))


def _written(counts: Integers, length: int) -> Integers:
    """Silence, so many of each symbol ``[symbols, B]``, and the delimiter, ``[3N + 1, B]``."""
    silent = KINDS * length - counts.sum(axis=0)
    ends = silent + counts.cumsum(axis=0)
    step = np.arange(KINDS * length)[:, np.newaxis]
    shown = (step[:, np.newaxis] >= ends).sum(axis=1)
    shown[step < silent] = SILENT
    written: Integers = with_end(shown, KINDS)
    return written

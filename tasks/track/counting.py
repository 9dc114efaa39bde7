"""Counting: whether there are as many of each symbol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import (
    SILENT,
    SymbolTask,
    silence,
    then_answer,
    with_end,
)
from ntmbench.data.vocabulary import END, letters
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts

#: Kinds of symbols: a, b and c.
KINDS = 3


@register_task("counting")
@dataclass(frozen=True)
class Counting(SymbolTask):
    """Say whether a string has as many of each symbol, a^n b^n c^n (Butoi et al. 2024).

    ``a a b b c c | -> yes``, ``a a a b c c | -> no``.

    A length N is the largest n. Each n from N / 2, rounded up and at least 3, to N is equally
    likely. Half of the strings are a^n b^n c^n. In the others one symbol, drawn uniformly, is there
    d times more often, and another one d times less often, where d is an even number, uniform from
    2 to ``off``, or to n - 1 if that is less. So the number of all symbols says nothing, nor does
    it whether the number of two of them is even. Symbols are one-hot, and a delimiter has a channel
    of its own. Silence comes first, so that all strings end at the same step. T = 3N + 2, and the
    only answer is asked for at step 3N + 1. The input is silent then.

    Sequences are few: 143 at N = 20, and those of the tests up to that length occur in training.

    The source ("Count-3") also has strings outside the language whose symbols are out of order.

    Largest n = 3 (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Counting()
        >>> print(as_words(task, task.test_set(length=3, sequences=2), sequence=1))
        a a a b b b c c c | [yes]
    """

    #: By how much a count that is wrong is off at most, an even number.
    off: int = 4
    #: Shortest training sequence, in symbols of a kind.
    min_length: int = 3
    #: Longest training sequence, in symbols of a kind.
    max_length: int = 20

    family = "track"
    axis = "symbols of a kind"
    version = 1
    few_sequences = True
    lengths = Lengths(20, test=(10, 20, 40, 80), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.off", self.off, 2, MAX_LENGTH)
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
        """A count beyond the range of n gives itself away, as does the sum of the last two.

        Of n, the last count is off by d in two thirds of the strings that are not in the language,
        and half of the last two together by d / 2 in the others.
        """
        values = self.max_length - self._least(self.max_length) + 1
        off = np.arange(2, self.off + 1, 2)
        beyond = 2 / 3 * np.minimum(off / values, 1) + 1 / 3 * np.minimum(off / 2 / values, 1)
        return Shortcuts(linear=float(beyond.mean()))

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
        ends = KINDS * (length - each) + counts.cumsum(axis=0)
        step = np.arange(KINDS * length)[:, np.newaxis]
        shown = (step[:, np.newaxis] >= ends).sum(axis=1)
        shown[step < KINDS * (length - each)] = SILENT
        question = with_end(shown, KINDS)
        return self.batch(*then_answer(question, alike[np.newaxis]), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Count each symbol."""
        counts = inputs[:, :, :KINDS].sum(axis=0)  # [B, symbols]
        alike: Integers = (counts == counts[:, :1]).all(axis=1).astype(np.int64)
        before = silence(len(inputs) - 1, inputs.shape[1])
        return self.answered(np.concatenate([before, alike[np.newaxis]]))

    def chance(self, length: int) -> Chance:
        """Half of the strings have all counts alike."""
        return Chance.of_uniform_symbols(1, 2)

    def demand(self, length: int) -> int:
        """One for each count that is compared with the first."""
        return KINDS - 1

    def _least(self, length: int) -> int:
        """The least n at a length."""
        return max(self.shortest_length, -(-length // 2))

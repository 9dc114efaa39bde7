"""K-th smallest: one of many numbers, by its rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.edits import replaced_steps
from ntmbench.data.layout import answer_at_end, question_and_answer
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.order.moved import all_shown, extremes, share_moved
from ntmbench.tasks.order.ranks import at_most

#: Most bits of a number, so that what a rank alone tells can be computed exactly.
MOST_BITS = 12


@register_task("kth_smallest")
@dataclass(frozen=True)
class KthSmallest(VectorTask):
    """Give the k-th smallest of L bit vectors, read as unsigned integers (this suite's own).

    ``9 4 7 4 (3) -> 7``: the third smallest of four numbers.

    The most significant bit comes first. After the L numbers the rank k is shown in one step: k - 1
    on the same channels, in binary too, with a channel of its own raised. The numbers are uniform,
    equal ones count as often as they come, and k is uniform from 1 to L. T = L + 2, and only the
    last step is scored, at which the input is silent. By chance half of the bits are wrong. L is at
    most 2^``bits``, so that every rank can be written. There are few sequences of one number (64 at
    the default sizes), so that those of the tests occur in training too.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 5 % of the errors of
    chance.

    Three numbers of three bits, and a rank (bits, rank channel | targets; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> print(as_text(KthSmallest(bits=3, max_length=3).test_set(length=3, sequences=1)))
        1 1 0 0 | . . .
        0 1 1 0 | . . .
        0 1 0 0 | . . .
        0 0 0 1 | . . .
        0 0 0 0 | 0 1 0
    """

    #: Bits of a number, from 1 to 12.
    bits: int = 6
    #: Fewest numbers in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most numbers in training, from 1 to 2 to the power of ``bits``.
    max_length: int = 12

    family = "order"
    axis = "numbers"
    version = 1
    further_channels = ("rank",)
    lengths = Lengths(12, test=(6, 12, 18, 24, 48), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.bits", self.bits, 1, MOST_BITS)
        check_range("task.max_length", self.max_length, 1, self._numbers)
        check_length_range(self.min_length, self.max_length)

    @property
    def longest_length(self) -> int:
        """As many as there are numbers."""
        return self._numbers

    @property
    def shortcuts(self) -> Shortcuts:
        """A rank tells how large the number is, about; the first number is the answer once in L.

        The former is exact, by the distribution of order statistics. A linear read-out can add the
        bits of all numbers to it, whatever their order: 0.38 of the errors were saved.
        """
        return Shortcuts(first=1 / self.max_length, last=self._saved_by_rank(), bag=0.38)

    @property
    def sources_that_matter(self) -> float:
        """Equal numbers hide one that crosses the answer; if all are equal, no rank matters."""
        length, values = self.max_length, self._numbers
        rank = 1 - float(values) ** (1 - length)
        return 0.85 * (length * float(share_moved(length, values)) + rank) / (length + 1)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` numbers and a rank for each sequence; nothing else varies."""
        numbers = words.integers(0, self._numbers - 1, length, batch_size)
        ranks = words.integers(0, length - 1, 1, batch_size)
        answer = np.take_along_axis(np.sort(numbers, axis=0), ranks, axis=0)
        question = np.zeros((length + 1, batch_size, self.input_width), np.float32)
        question[:, :, : self.bits] = self._written(np.concatenate([numbers, ranks]))
        question[length, :, self.bits] = 1
        return question_and_answer(question, self._written(answer))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The number with so many before it in the order; of equal ones the first is before."""
        shown = inputs[:-1, :, : self.bits].astype(np.int64) @ self._place_values
        numbers, rank = shown[:-1], shown[-1]
        order = numbers.argsort(axis=0, kind="stable")
        place = np.take_along_axis(order, rank[np.newaxis], axis=0)
        answer = np.take_along_axis(inputs[:, :, : self.bits], place[..., np.newaxis], axis=0)
        return answer_at_end(answer, len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """All numbers and the rank."""
        sources: NDArray[np.bool_] = all_shown(inputs, len(inputs) - 1, 1)
        return sources

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other numbers, the smallest and the largest among them, and other ranks."""
        return np.concatenate(
            [replaced_steps(inputs), extremes(inputs, len(inputs) - 2, self.bits)]
        )

    def chance(self, length: int) -> Chance:
        """Over all ranks every bit is a fair coin."""
        return Chance.of_fair_bits(self.bits)

    def demand(self, length: int) -> int:
        """One for each number."""
        return length

    @property
    def _place_values(self) -> NDArray[np.int64]:
        """The value of each bit, ``[bits]``, the most significant first."""
        return 1 << np.arange(self.bits)[::-1]

    def _written(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The bits ``[..., bits]`` of numbers ``[...]``."""
        written: NDArray[np.bool_] = (numbers[..., np.newaxis] & self._place_values) != 0
        return written

    def _saved_by_rank(self) -> float:
        """The share of errors saved by the rank alone, at the longest training length."""
        length, values = self.max_length, np.arange(self._numbers)
        ranks = np.arange(length)
        # P(the number of a rank is at most v): more than ``rank`` numbers are, [values, ranks].
        each = np.array([1 - at_most(length, ranks, (v + 1) / self._numbers) for v in values])
        ones = self._written(values).T @ np.diff(each, axis=0, prepend=0)  # [bits, ranks]
        return float(np.abs(2 * ones - 1).mean())

    @property
    def _numbers(self) -> int:
        """How many numbers there are."""
        return 1 << self.bits

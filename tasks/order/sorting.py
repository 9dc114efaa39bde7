"""Sorting: return random numbers, written as bit vectors, in ascending order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.layout import (
    answer_at_end,
    ended_by_delimiter,
    first_raised,
    question_and_answer,
)
from ntmbench.data.lengths import Lengths, check_sizes
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.order.moved import all_shown, extremes, share_moved


@register_task("sorting")
@dataclass(frozen=True)
class Sorting(VectorTask):
    """Sort L bit vectors, read as unsigned integers, in ascending order (this suite's own).

    ``c a b | -> a b c`` where a <= b <= c, for example ``6 1 4 1 | -> 1 1 4 6``.

    The most significant bit comes first. Inputs are the vectors and a channel for the delimiter
    that ends them. T = 2L + 1, and the answer starts at step L + 1. By chance half of the bits are
    wrong. There are only 256 sequences of one number of 8 bits, so that those of the tests occur in
    training too.

    Three numbers of three bits (input channels | target channels; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> print(as_text(Sorting(bits=3).test_set(length=3, sequences=1)))
        0 1 1 0 | . . .
        0 1 0 0 | . . .
        1 0 1 0 | . . .
        0 0 0 1 | . . .
        0 0 0 0 | 0 1 0
        0 0 0 0 | 0 1 1
        0 0 0 0 | 1 0 1
    """

    #: Bits of a number, from 1 to 64.
    bits: int = 8
    #: Shortest training sequence, in numbers, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest training sequence, in numbers, from 1 to 100000.
    max_length: int = 20

    family = "order"
    axis = "numbers"
    version = 1
    # Weights are selected at the training range's end, which is hard enough, and a quarter beyond.
    lengths = Lengths(20, test=(10, 20, 30, 40), select=((1, 1), (5, 4)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length, max_bits=64)

    @property
    def shortcuts(self) -> Shortcuts:
        """A place tells the first bits of its number, and the first number shown a little more.

        They saved 0.21 and 0.22 of the errors, and the sums of all bits 0.37.
        """
        return Shortcuts(place=0.21, first=0.22, bag=0.37)

    @property
    def sources_that_matter(self) -> float:
        """Another number moves only those answers at which a run of equal ones begins or ends."""
        return 0.85 * float(share_moved(self.max_length, 2.0**self.bits))  # sequences vary

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` numbers for each sequence; nothing else varies."""
        vectors = words.bits(length, batch_size, self.bits)
        ordered = np.sort(vectors @ self._place_values, axis=0)
        answer = (ordered[:, :, np.newaxis] & self._place_values) != 0
        question = ended_by_delimiter(vectors, self.input_width, self.bits)
        return question_and_answer(question, answer)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Put whole rows in order; a column is never sorted by itself."""
        numbers = self._numbers(inputs)
        order = numbers.argsort(axis=0)
        return answer_at_end(
            np.take_along_axis(inputs[:, :, : self.bits], order[:, :, np.newaxis], axis=0),
            len(inputs),
        )

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """All numbers: each of them has its part in every place."""
        length = first_raised(inputs[:, :, self.bits])
        sources: NDArray[np.bool_] = all_shown(inputs, length, length)
        return sources

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Each number by itself the smallest or the largest."""
        edits: FloatArray = extremes(inputs, first_raised(inputs[:, :, self.bits]), self.bits)
        return edits

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The steps of all numbers that equal the one asked for."""
        numbers = self._numbers(inputs)  # [L, B]
        equal = np.sort(numbers, axis=0)[:, np.newaxis] == numbers  # [L, L, B]
        shown = np.zeros((len(inputs), inputs.shape[1], len(inputs)), bool)
        shown[-len(numbers) :, :, : len(numbers)] = np.moveaxis(equal, 1, 2)
        return shown

    def ordered_by(self, inputs: FloatArray) -> NDArray[np.float64]:
        """The numbers; beyond 53 bits they are rounded."""
        numbers = self._numbers(inputs)
        keys = np.full(inputs.shape[:2], np.nan)
        keys[: len(numbers)] = numbers
        return keys

    def chance(self, length: int) -> Chance:
        """Over all steps of the answer every bit is a fair coin, as it is in the question."""
        return Chance.of_fair_bits(length * self.bits)

    def demand(self, length: int) -> int:
        """One for each number."""
        return length

    def _numbers(self, inputs: FloatArray) -> NDArray[np.uint64]:
        """The numbers ``[L, B]`` of ``inputs [T, B, in]``."""
        vectors = inputs[: first_raised(inputs[:, :, self.bits]), :, : self.bits]
        numbers: NDArray[np.uint64] = vectors.astype(np.uint64) @ self._place_values
        return numbers

    @property
    def _place_values(self) -> NDArray[np.uint64]:
        """The value of each bit, ``[bits]``, the most significant first."""
        return np.uint64(1) << np.arange(self.bits, dtype=np.uint64)[::-1]

"""Sorting: return random numbers, written as bit vectors, in ascending order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.randomness import RandomWords
from ntmbench.registry import register_task
from ntmbench.sequences import (
    answer_at_end,
    beyond,
    check_sizes,
    first_raised,
    question_and_answer,
    scaled_grid,
)
from ntmbench.settings import check_range
from ntmbench.task import Batch, Chance, FloatArray, Task


@register_task("sorting")
@dataclass(frozen=True)
class Sorting(Task):
    """Sort L bit vectors, read as unsigned integers, in ascending order (this suite's own).

    ``c a b | -> a b c`` where a <= b <= c, for example ``6 1 4 1 | -> 1 1 4 6``.

    The most significant bit comes first. Inputs are the vectors and a channel for the delimiter
    that ends them. T = 2L + 1, and the answer starts at step L + 1. There are only 256 sequences of
    one number of 8 bits, so that those of the tests turn up in training too.

    Three numbers of three bits (input channels | target channels; dots are not scored)::

        >>> from ntmbench.sequences import as_text
        >>> print(as_text(Sorting(bits=3).test_set(length=3, sequences=1)))
        0 1 1 0 | . . .
        0 1 0 0 | . . .
        1 0 1 0 | . . .
        0 0 0 1 | . . .
        0 0 0 0 | 0 1 0
        0 0 0 0 | 0 1 1
        0 0 0 0 | 1 0 1
    """

    #: Bits of a number, at most 64.
    bits: int = 8
    #: Shortest training sequence, in numbers.
    min_length: int = 1
    #: Longest training sequence, in numbers.
    max_length: int = 20

    version = 1

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length, max_bits=64)

    @property
    def input_width(self) -> int:
        """The number and the delimiter."""
        return self.bits + 1

    @property
    def output_width(self) -> int:
        """The number."""
        return self.bits

    @property
    def length_range(self) -> tuple[int, int]:
        """Numbers, from the shortest training sequence to the longest."""
        return self.min_length, self.max_length

    @property
    def selection_lengths(self) -> tuple[int, ...]:
        """The training range's end, which is hard enough, and a quarter beyond."""
        return self.max_length, beyond(self.max_length, 5, 4)

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """Half the training range to twice that."""
        return scaled_grid(
            (10, 20, 30, 40),
            trained_to=20,
            min_length=self.min_length,
            max_length=self.max_length,
        )

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` numbers for each sequence; nothing else varies."""
        check_range("length", length, self.shortest_length)
        vectors = words.bits(length, batch_size, self.bits)
        ordered = np.sort(vectors @ self._place_values, axis=0)
        answer = (ordered[:, :, np.newaxis] & self._place_values) != 0
        question = np.zeros((length + 1, batch_size, self.input_width), np.float32)
        question[:length, :, : self.bits] = vectors
        question[length, :, self.bits] = 1
        return question_and_answer(question, answer)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Put whole rows in order; a column is never sorted by itself."""
        length = first_raised(inputs[:, :, self.bits])
        vectors = inputs[:length, :, : self.bits]
        numbers = vectors.astype(np.uint64) @ self._place_values
        order = numbers.argsort(axis=0)
        return answer_at_end(
            np.take_along_axis(vectors, order[:, :, np.newaxis], axis=0), len(inputs)
        )

    def chance(self, length: int) -> Chance:
        """Over all steps of the answer every bit is a fair coin, as it is in the question."""
        return Chance.of_fair_bits(length * self.bits)

    def vectors_to_store(self, length: int) -> int:
        """One slot for each number."""
        return length

    @property
    def _place_values(self) -> NDArray[np.uint64]:
        """What each bit counts for, ``[bits]``, the most significant first."""
        return np.uint64(1) << np.arange(self.bits, dtype=np.uint64)[::-1]

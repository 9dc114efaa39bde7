"""Priority sort: return the bit vectors of highest priority, in order of priority."""

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

# Priorities are the odd multiples of 2**-24 between -1 and 1: uniform, without the ends, and exact
# in float32, so that the input holds what the target was made from.
_PRIORITY_BITS = 24


@register_task("priority_sort")
@dataclass(frozen=True)
class PrioritySort(Task):
    """Return the A of L vectors with the highest priorities (Graves et al. 2014, section 4.5).

    ``a:+0.1 b:-0.7 c:+0.9 | -> c a`` with A = 2, for example ``5:+0.1 2:-0.7 7:+0.9 | -> 7 5``.

    Each vector comes with a priority, uniform in (-1, 1), on a channel of its own. The highest
    comes first; equal priorities keep the order in which they were shown. The paper leaves open
    the width of the vectors, the direction and what stands before the answer: here 8 bits, highest
    first, and a delimiter on a channel of its own. T = L + 1 + A, and the answer starts at L + 1.

    The best two of three vectors of three bits (inputs: bits, priority, delimiter | targets)::

        >>> from ntmbench.sequences import as_text
        >>> task = PrioritySort(bits=3, min_length=3, max_length=3, answers=2)
        >>> print(as_text(task.test_set(length=3, sequences=4), sequence=3))
        1 0 0 +0.10 0 | . . .
        1 0 1 -0.05 0 | . . .
        0 1 1 +0.53 0 | . . .
        0 0 0 0 1 | . . .
        0 0 0 0 0 | 0 1 1
        0 0 0 0 0 | 1 0 0
    """

    #: Bits of a vector, without its priority.
    bits: int = 8
    #: Shortest training sequence, in vectors shown.
    min_length: int = 20
    #: Longest training sequence, in vectors shown.
    max_length: int = 20
    #: Vectors to return; at most min_length.
    answers: int = 16

    version = 1

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)
        check_range("task.answers", self.answers, 1, self.min_length)

    @property
    def input_width(self) -> int:
        """The vector, its priority and the delimiter."""
        return self.bits + 2

    @property
    def output_width(self) -> int:
        """The vector."""
        return self.bits

    @property
    def shortest_length(self) -> int:
        """As many vectors as are returned."""
        return self.answers

    @property
    def length_range(self) -> tuple[int, int]:
        """Vectors shown, from the fewest in training to the most."""
        return self.min_length, self.max_length

    @property
    def selection_lengths(self) -> tuple[int, ...]:
        """The training range's end, which is hard enough, and a quarter beyond."""
        return self.max_length, beyond(self.max_length, 5, 4)

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """The training range's end to twice that; always ``answers`` vectors are returned."""
        return scaled_grid(
            (20, 25, 30, 40),
            trained_to=20,
            min_length=self.min_length,
            max_length=self.max_length,
        )

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` vectors with their priorities for each sequence; nothing else varies."""
        check_range("length", length, self.shortest_length)
        vectors = words.bits(length, batch_size, self.bits)
        levels = words.integers(0, 2**_PRIORITY_BITS - 1, length, batch_size)
        priorities = (2 * levels + 1) * 2.0**-_PRIORITY_BITS - 1
        question = np.zeros((length + 1, batch_size, self.input_width), np.float32)
        question[:length, :, : self.bits] = vectors
        question[:length, :, self.bits] = priorities
        question[length, :, self.bits + 1] = 1
        return question_and_answer(question, self._highest(vectors, priorities))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Put whole rows in order of their priority; a column is never sorted by itself."""
        length = first_raised(inputs[:, :, self.bits + 1])
        vectors = inputs[:length, :, : self.bits]
        priorities = inputs[:length, :, self.bits]
        return answer_at_end(self._highest(vectors, priorities), len(inputs))

    def chance(self, length: int) -> Chance:
        """Every bit is a fair coin: the priorities say nothing of the vectors."""
        return Chance.of_fair_bits(self.answers * self.bits)

    def vectors_to_store(self, length: int) -> int:
        """One slot for each vector shown."""
        return length

    def _highest(
        self, vectors: NDArray[np.generic], priorities: NDArray[np.floating]
    ) -> NDArray[np.generic]:
        """Of ``vectors [L, B, bits]`` the ``answers`` first by ``priorities [L, B]``."""
        order = np.argsort(-priorities, axis=0, kind="stable")[: self.answers]
        return np.take_along_axis(vectors, order[:, :, np.newaxis], axis=0)

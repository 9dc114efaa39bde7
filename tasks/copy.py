"""Copy: reproduce a sequence of random bit vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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

# Tested whatever the training range: a memory that is addressed as it should be has no longest
# sequence. It is not scaled, because the cost of a test grows with the square of the length.
FAR_LENGTH = 1000


@register_task("copy")
@dataclass(frozen=True)
class Copy(Task):
    """Reproduce L random bit vectors after a delimiter (Graves et al. 2014, section 4.1).

    ``a b c | -> a b c``, for example ``5 0 3 -> 5 0 3`` with vectors of three bits.

    Inputs are the vectors and a channel for the delimiter; the input is silent while the sequence
    is reproduced. T = 2L + 1, and the answer starts at step L + 1. There are only 256 sequences of
    one vector of 8 bits, so that those of the tests turn up in training too.

    Two vectors of two bits (input channels | target channels; dots are not scored)::

        >>> from ntmbench.sequences import as_text
        >>> print(as_text(Copy(bits=2).test_set(length=2, sequences=3), sequence=2))
        1 1 0 | . .
        0 1 0 | . .
        0 0 1 | . .
        0 0 0 | 1 1
        0 0 0 | 0 1
    """

    #: Bits of a vector.
    bits: int = 8
    #: Shortest training sequence, in vectors.
    min_length: int = 1
    #: Longest training sequence, in vectors.
    max_length: int = 20

    version = 1

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)

    @property
    def input_width(self) -> int:
        """The vector and the delimiter."""
        return self.bits + 1

    @property
    def output_width(self) -> int:
        """The vector."""
        return self.bits

    @property
    def length_range(self) -> tuple[int, int]:
        """Vectors, from the shortest training sequence to the longest."""
        return self.min_length, self.max_length

    @property
    def selection_lengths(self) -> tuple[int, ...]:
        """One and a half and twelve times the training range."""
        return beyond(self.max_length, 3, 2), beyond(self.max_length, 12, 1)

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """The paper's lengths, to six times the training range, and one far beyond."""
        papers = scaled_grid(
            (10, 20, 30, 50, 120),
            trained_to=20,
            min_length=self.min_length,
            max_length=self.max_length,
        )
        return papers if papers[-1] >= FAR_LENGTH else (*papers, FAR_LENGTH)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw sequences of ``length`` vectors; nothing else varies."""
        check_range("length", length, self.shortest_length)
        vectors = words.bits(length, batch_size, self.bits)
        question = np.zeros((length + 1, batch_size, self.input_width), np.float32)
        question[:length, :, : self.bits] = vectors
        question[length, :, self.bits] = 1
        return question_and_answer(question, vectors)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Repeat what came before the delimiter."""
        length = first_raised(inputs[:, :, self.bits])
        return answer_at_end(inputs[:length, :, : self.bits], len(inputs))

    def chance(self, length: int) -> Chance:
        """Every bit is a fair coin."""
        return Chance.of_fair_bits(length * self.bits)

    def vectors_to_store(self, length: int) -> int:
        """One slot for each vector."""
        return length

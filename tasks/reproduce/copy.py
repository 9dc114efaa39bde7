"""Copy: reproduce a sequence of random bit vectors."""

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
    sources_at,
)
from ntmbench.data.lengths import Lengths, check_sizes
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.data.votes import saved_by_votes
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts


@register_task("copy")
@dataclass(frozen=True)
class Copy(VectorTask):
    """Reproduce L random bit vectors after a delimiter (Graves et al. 2014, section 4.1).

    ``a b c | -> a b c``, for example ``5 0 3 -> 5 0 3`` with vectors of three bits.

    Inputs are the vectors and a channel for the delimiter; the input is silent while the sequence
    is reproduced. T = 2L + 1, and the answer starts at step L + 1. By chance half of the bits are
    wrong. There are only 256 sequences of one vector of 8 bits, so that those of the tests occur in
    training too.

    Two vectors of two bits (input channels | target channels; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> print(as_text(Copy(bits=2).test_set(length=2, sequences=3), sequence=2))
        1 1 0 | . .
        0 1 0 | . .
        0 0 1 | . .
        0 0 0 | 1 1
        0 0 0 | 0 1
    """

    #: Bits of a vector, from 1 to 1024.
    bits: int = 8
    #: Shortest training sequence, in vectors, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest training sequence, in vectors, from 1 to 100000.
    max_length: int = 20

    family = "reproduce"
    axis = "vectors"
    version = 1
    # The paper's lengths, to six times the training range, and one far beyond: for a memory that is
    # addressed properly there is no longest sequence.
    lengths = Lengths(20, test=(10, 20, 30, 50, 120), select=((3, 2), (12, 1)), far=1000)

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)

    @property
    def shortcuts(self) -> Shortcuts:
        """At one length a linear read-out is enough; the first vector answers for itself.

        Knowing all vectors without their order, the more frequent of each bit is likelier.
        """
        vote = saved_by_votes(self.max_length, 2)
        return Shortcuts(first=1 / self.max_length, bag=vote, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw sequences of ``length`` vectors; nothing else varies."""
        vectors = words.bits(length, batch_size, self.bits)
        question = ended_by_delimiter(vectors, self.input_width, self.bits)
        return question_and_answer(question, vectors)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Repeat what came before the delimiter."""
        length = first_raised(inputs[:, :, self.bits])
        return answer_at_end(inputs[:length, :, : self.bits], len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the vector itself."""
        return sources_at(inputs, np.arange(first_raised(inputs[:, :, self.bits])))

    def chance(self, length: int) -> Chance:
        """Every bit is a fair coin."""
        return Chance.of_fair_bits(length * self.bits)

    def demand(self, length: int) -> int:
        """One for each vector."""
        return length

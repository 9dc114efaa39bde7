"""Repeat copy: reproduce a sequence a number of times, and then say that it is done."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Bits, Chance
from ntmbench.data.layout import (
    answer_at_end,
    ended_by_delimiter,
    first_raised,
    question_and_answer,
    sources_at,
)
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_sizes
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.data.votes import saved_by_votes
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation


@register_task("repeat_copy")
@dataclass(frozen=True)
class RepeatCopy(VectorTask):
    """Reproduce L vectors R times, then raise an end marker (Graves et al. 2014, section 4.2).

    ``a b | 3 -> a b a b a b end``, for example ``5 1 | 2 -> 5 1 5 1 end``.

    The vectors are followed by one step with a delimiter and, on a channel of its own, the number
    of repeats, scaled to mean 0 and variance 1 over training. The paper has no delimiter. Here it
    makes a number of repeats visible that is scaled to 0 because it equals the mean. The end marker
    is an output channel; all channels are scored on all LR + 1 steps of the answer.
    T = L + 1 + LR + 1. In training the number of repeats is drawn with the length, once a batch. By
    chance half of the bits of the LR vectors are wrong, and the end marker at the last step. There
    are only 256 sequences of one vector of 8 bits for each number of repeats, so that those of the
    tests occur in training too.

    One vector of two bits, three times (inputs: bits, delimiter, repeats | targets: bits, end)::

        >>> from ntmbench.data.text import as_text
        >>> task = RepeatCopy(bits=2, max_repeats=3)
        >>> print(as_text(task.test_set(length=1, sequences=2), sequence=1))
        0 1 0 0 | . . .
        0 0 1 +1.22 | . . .
        0 0 0 0 | 0 1 0
        0 0 0 0 | 0 1 0
        0 0 0 0 | 0 1 0
        0 0 0 0 | 0 0 1
    """

    #: Bits of a vector, from 1 to 1024.
    bits: int = 8
    #: Shortest training sequence, in vectors, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest training sequence, in vectors, from 1 to 100000.
    max_length: int = 10
    #: Fewest repeats in training, from 1 to ``max_repeats``.
    min_repeats: int = 1
    #: Most repeats in training, from 1 to 100000.
    max_repeats: int = 10
    #: Repeats in test and selection data, from 0 to 100000; 0 stands for ``max_repeats``.
    test_repeats: int = 0

    family = "reproduce"
    axis = "vectors"
    version = 1
    further_channels = ("delimiter", "repeats")
    # Weights are selected with the most repeats, at the training range's end, one and a half times
    # that, and twice. Tests use the paper's lengths.
    lengths = Lengths(10, test=(10, 20), select=((1, 1), (3, 2), (2, 1)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)
        check_range("task.max_repeats", self.max_repeats, 1, MAX_LENGTH)
        check_range("task.min_repeats", self.min_repeats, 1, self.max_repeats)
        check_range("task.test_repeats", self.test_repeats, 0, MAX_LENGTH)

    @property
    def answer(self) -> Bits:
        """The vector and the end marker."""
        return Bits(self.bits + 1)

    @property
    def variations(self) -> dict[str, Variation]:
        """Twice as many repeats as in training, at the longest training length."""
        repeats = 2 * self.max_repeats
        if repeats > MAX_LENGTH:
            return {}
        more = Variation(replace(self, test_repeats=repeats), self.max_length)
        return {f"length {self.max_length}, repeats {repeats}": more}

    @property
    def shortcuts(self) -> Shortcuts:
        """At one length and number of repeats a linear read-out is enough.

        The last place alone has the end marker and no bits; the first vector answers for itself.
        Knowing all vectors without their order, the more frequent of each bit is likelier.
        """
        at_the_end = (self.bits / 2 + 1) / self.chance(self.max_length).errors
        return Shortcuts(
            place=at_the_end,
            first=at_the_end + 1 / self.max_length,
            bag=at_the_end + saved_by_votes(self.max_length, 2),
            linear=1.0,
        )

    @property
    def sources_that_matter(self) -> float:
        """All vectors; another number of repeats would be another number of steps."""
        return self._repeats_in_tests / (self._repeats_in_tests + 1)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw sequences of ``length`` vectors, and for training one number of repeats for all."""
        repeats = (
            self._repeats_in_tests if test else words.integer(self.min_repeats, self.max_repeats)
        )
        vectors = words.bits(length, batch_size, self.bits)
        mean, deviation = self._repeats_in_training
        question = ended_by_delimiter(vectors, self.input_width, self.bits)
        question[length, :, self.bits + 1] = (repeats - mean) / deviation
        return question_and_answer(question, self._answer(vectors, repeats))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Read the number of repeats off the delimiter's step, and repeat what came before."""
        length = first_raised(inputs[:, :, self.bits])
        repeats = self._repeats(inputs[length])
        return answer_at_end(self._answer(inputs[:length, :, : self.bits], repeats), len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the vector itself, and for the end marker that of the number of repeats."""
        length = first_raised(inputs[:, :, self.bits])
        repeats = self._repeats(inputs[length])
        return sources_at(inputs, np.append(np.tile(np.arange(length), repeats), length))

    def chance(self, length: int) -> Chance:
        """The bits are fair but for the end marker's step, which a constant cannot tell apart."""
        steps = length * self._repeats_in_tests + 1
        a_bit_is_1 = (steps - 1) / 2 / steps
        wrong = self.bits * (steps - 1) / 2 + 1
        loss = steps * (self.bits * _entropy(a_bit_is_1) + _entropy(1 / steps))
        return Chance(wrong, loss)

    def demand(self, length: int) -> int:
        """One for each vector; the repeats read them again."""
        return length

    @property
    def _repeats_in_tests(self) -> int:
        return self.test_repeats or self.max_repeats

    @property
    def _repeats_in_training(self) -> tuple[float, float]:
        """Mean and standard deviation; the deviation of a single value is taken as 1."""
        values = self.max_repeats - self.min_repeats + 1
        deviation = math.sqrt((values**2 - 1) / 12) if values > 1 else 1.0
        return (self.min_repeats + self.max_repeats) / 2, deviation

    def _repeats(self, delimiter: FloatArray) -> int:
        """The number of repeats that the delimiter's step ``[B, in]`` tells."""
        mean, deviation = self._repeats_in_training
        return round(float(delimiter[0, self.bits + 1]) * deviation + mean)

    def _answer(self, vectors: NDArray[np.generic], repeats: int) -> FloatArray:
        length, batch_size, _ = vectors.shape
        answer = np.zeros((length * repeats + 1, batch_size, self.output_width), np.float32)
        answer[:-1, :, : self.bits] = np.tile(vectors, (repeats, 1, 1))
        answer[-1, :, self.bits] = 1
        return answer


def _entropy(probability: float) -> float:
    """Entropy in bits of a coin that shows 1 with a probability strictly between 0 and 1."""
    other = 1 - probability
    return -probability * math.log2(probability) - other * math.log2(other)

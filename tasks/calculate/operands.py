"""What tasks have in common that calculate with two binary numbers, the least bit first."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Bits, Chance
from ntmbench.data.choices import Integers
from ntmbench.data.layout import answer_at_end, first_raised, question_and_answer, sources_at
from ntmbench.data.lengths import check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import one_hot
from ntmbench.task import Batch, FloatArray, Task

#: The symbols of the two bits come first, and then these.
SIGN, EQUAL = 2, 3


@dataclass(frozen=True)
class TwoNumbers(Task):
    """Give the bits of what is calculated from two numbers of L bits.

    A subclass says in ``calculated`` what that is, and in ``ones`` how many of its bits are 1.
    """

    #: Shortest numbers in training, in bits, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest numbers in training, in bits, from 1 to 100000.
    max_length: int = 12

    family = "calculate"
    axis = "bits"
    #: How the operator is written.
    sign: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_length_range(self.min_length, self.max_length)

    @abstractmethod
    def calculated(self, first: Integers, second: Integers) -> Integers:
        """The bits ``[A, B]`` of the result for the bits ``[L, B]`` of two numbers."""

    @abstractmethod
    def ones(self, length: int) -> tuple[int, float]:
        """How many bits a result has, and how many of them are 1 in the mean."""

    @property
    def input_width(self) -> int:
        """The bits, the operator and the sign that the answer begins."""
        return 4

    @property
    def input_names(self) -> tuple[str, ...]:
        """The bits, the operator and the sign that the answer begins."""
        return ("0", "1", self.sign, "=")

    @property
    def answer(self) -> Bits:
        """One bit at a time."""
        return Bits(1)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw two numbers of ``length`` bits, each a fair coin; nothing else varies."""
        first, second = words.bits(2, length, batch_size).astype(np.int64)
        question = np.full((2 * length + 2, batch_size), EQUAL)
        question[:length], question[length], question[length + 1 : -1] = first, SIGN, second
        calculated = self.calculated(first, second)
        return question_and_answer(one_hot(question, 4), calculated[:, :, np.newaxis])

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Calculate with what came before the operator and what came after it."""
        length = first_raised(inputs[:, :, SIGN])
        bits = inputs[:, :, 1].astype(np.int64)
        calculated = self.calculated(bits[:length], bits[length + 1 : 2 * length + 1])
        return answer_at_end(calculated[:, :, np.newaxis], len(inputs))

    def collision_entropy(self, length: int) -> float:
        """Every bit of both numbers is a fair coin."""
        return 2.0 * length

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The bits of both numbers that are not above the bit of the answer."""
        length = first_raised(inputs[:, :, SIGN])
        answered, place = np.arange(len(inputs) - 2 * length - 2), np.arange(length)
        below = place <= answered[:, np.newaxis]  # [A, L]
        steps = np.stack([place, length + 1 + place])  # [2, L]
        sources = np.where(below[:, np.newaxis], steps, -1).reshape(len(answered), 1, 2 * length)
        return sources_at(inputs, np.repeat(sources, inputs.shape[1], axis=1))

    def chance(self, length: int) -> Chance:
        """Every answer is the commoner bit."""
        bits, ones = self.ones(length)
        share = ones / bits
        entropy = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
        return Chance(min(ones, bits - ones), bits * entropy)

    def demand(self, length: int) -> int:
        """One for each bit of the first number."""
        return length

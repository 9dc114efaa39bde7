"""Multiplication: the product of two binary numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.registry import register_task
from ntmbench.task import Shortcuts
from ntmbench.tasks.calculate.operands import TwoNumbers

#: The products of numbers of so many bits are counted; those of longer ones are nearly continuous.
COUNTED = 8

#: From this bit on, counted from the highest, the bits of a continuous product are taken for fair.
FAIR = 16


@register_task("multiplication")
@dataclass(frozen=True)
class Multiplication(TwoNumbers):
    """Multiply two binary numbers, least bit first (Delétang et al. 2023, "Binary Multiplication").

    ``1 1 0 * 1 0 1 = -> 1 1 1 1 0 0``: 3 * 5 = 15.

    Both numbers have L bits, each a fair coin. Bits, the operator and the sign ``=`` are one-hot
    symbols, the second number comes after the first, and the input is silent during the answer, 2L
    bits on one channel. T = 4L + 2, and the answer starts at step 2L + 2. Bits of a product are
    more often 0 than 1, above all the lowest and the highest ones: bit i, from 0 on and below L, is
    1 in (1 - 2^-(i + 1)) / 2 of the products. By chance 0 is answered. There are 4 to the power of
    L sequences, so that short ones of the tests occur in training too.

    The source (tasks/cs/binary_multiplication.py in its code) divides one length between the two
    numbers, and marks the end of the product.

    No model of the gallery solves it with its budget: the best, ``seq2seq``, makes 74 % of the
    errors of chance.

    Two numbers of two bits (inputs: 0, 1, *, = | target)::

        >>> from ntmbench.data.text import as_text
        >>> task = Multiplication()
        >>> print(as_text(task.test_set(length=2, sequences=4), sequence=3))
        1 0 0 0 | .
        0 1 0 0 | .
        0 0 1 0 | .
        0 1 0 0 | .
        0 1 0 0 | .
        0 0 0 1 | .
        0 0 0 0 | 0
        0 0 0 0 | 1
        0 0 0 0 | 1
        0 0 0 0 | 0
    """

    sign = "*"
    version = 1
    lengths = Lengths(12, test=(6, 12, 18, 24, 48), select=((1, 1), (3, 2)))

    @property
    def shortcuts(self) -> Shortcuts:
        """A linear read-out finds the lowest bit, which two bits alone decide.

        The highest bits of the numbers say something of the highest one; 0.05 were saved together.
        """
        return Shortcuts(linear=0.05)

    @property
    def sources_that_matter(self) -> float:
        """A bit times 0 does not matter, and high bits hardly depend on low ones."""
        return 0.3 if self.max_length > 1 else 0.2

    def calculated(self, first: Integers, second: Integers) -> Integers:
        """Add up the products of bits column by column, and carry what is over."""
        length, batch_size = first.shape
        columns = np.zeros((2 * length, batch_size), np.int64)
        for place in range(length):
            columns[place : place + length] += first[place] * second
        for place in range(2 * length - 1):
            columns[place + 1] += columns[place] >> 1
        return columns & 1

    def ones(self, length: int) -> tuple[int, float]:
        """Counted for short numbers; else by formula."""
        if length <= COUNTED:
            numbers = np.arange(2**length)
            products = np.multiply.outer(numbers, numbers)
            ones = sum(float((products >> place & 1).mean()) for place in range(2 * length))
            return 2 * length, ones
        # A low bit is 1 in half of the products, but for those with a factor of twos beyond it.
        low = sum(1 - 2.0 ** -(place + 1) for place in range(length)) / 2
        return 2 * length, low + sum(_high_bit(place) for place in range(1, length + 1))


def _high_bit(place: int) -> float:
    """How often a bit is 1, the ``place``-th from the top, in a product of long numbers.

    The product of two uniform numbers between 0 and 1 is below x with probability x - x log x.
    """
    if place >= FAIR:
        return 0.5
    parts = 2**place

    def below(part: int) -> float:
        share = part / parts
        return share - share * math.log(share) if part else 0.0

    return sum(below(part + 1) - below(part) for part in range(1, parts, 2))

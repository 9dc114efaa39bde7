"""Addition: the sum of two binary numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.registry import register_task
from ntmbench.task import Shortcuts
from ntmbench.tasks.calculate.operands import TwoNumbers


@register_task("addition")
@dataclass(frozen=True)
class Addition(TwoNumbers):
    """Add two binary numbers, the least bit first (Delétang et al. 2023, "Binary Addition").

    ``1 1 0 + 1 0 1 = -> 0 0 0 1``: 3 + 5 = 8.

    Both numbers have L bits, each a fair coin. Bits, the operator and the sign ``=`` are one-hot
    symbols, the second number comes after the first, and the input is silent during the answer,
    L + 1 bits on one channel. T = 3L + 3, and the answer starts at step 2L + 2. By chance 0 is
    answered, and (L + 1 - 2^-L) / 2 bits are wrong: half of the sum's bits, but for the last carry,
    which is rarer. There are 4 to the power of L sequences, so that short ones of the tests occur
    in training too.

    The source (tasks/cs/binary_addition.py in its code) divides one length between the two numbers,
    neither of which is 0, and marks the end of the sum.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 63 % of the errors
    of chance.

    Two numbers of two bits (inputs: 0, 1, +, = | target)::

        >>> from ntmbench.data.text import as_text
        >>> task = Addition()
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        1 0 0 0 | .
        0 1 0 0 | .
        0 0 1 0 | .
        0 1 0 0 | .
        0 1 0 0 | .
        0 0 0 1 | .
        0 0 0 0 | 1
        0 0 0 0 | 0
        0 0 0 0 | 1
    """

    sign = "+"
    version = 1
    lengths = Lengths(12, test=(6, 12, 18, 24, 48), select=((1, 1), (3, 2)))
    sources_that_matter = 0.25  # a carry from far below is rare

    @property
    def shortcuts(self) -> Shortcuts:
        """The last carry can be told from the highest bits alone, which a linear read-out adds.

        The number of ones in both tells a little of it: 0.03 were saved.
        """
        return Shortcuts(bag=0.03, linear=1 / (self.max_length + 1))

    def calculated(self, first: Integers, second: Integers) -> Integers:
        """Add column by column, with a carry."""
        length, batch_size = first.shape
        bits = np.zeros((length + 1, batch_size), np.int64)
        for place in range(length):
            column = first[place] + second[place] + bits[place]
            bits[place], bits[place + 1] = column & 1, column >> 1
        return bits

    def ones(self, length: int) -> tuple[int, float]:
        """Every bit is fair but the last carry, which is rarer by the chance of a sum 11...1."""
        return length + 1, length / 2 + (1 - 2.0**-length) / 2

"""What is saved by knowing the values of a sequence, but not which of them is asked for."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

#: More values save less; so many stand for more.
MOST = 64


@cache
def saved_by_votes(count: int, values: int) -> float:
    """The share of chance's errors that the most frequent of ``count`` uniform values saves.

    The answer is one of them, each as likely. It is right with the mean of the largest number of
    equal values over ``count``, and chance with 1 / ``values``. For more than MOST values the share
    is that of MOST of them.
    """
    count = min(count, MOST)
    largest = sum(1 - _at_most(most, count, values) for most in range(count))
    return (largest / count - 1 / values) / (1 - 1 / values)


def _at_most(most: int, count: int, values: int) -> float:
    """The probability that no value occurs more than ``most`` times.

    It is the coefficient of x^count in (1 + x + ... + x^most / most!)^values, times
    count! / values^count. With x in units of ``values`` the powers stay within range.
    """
    factor = np.zeros(count + 1)
    factor[: most + 1] = [1 / math.factorial(times) / values**times for times in range(most + 1)]
    return float(_power(factor, values)[count]) * math.factorial(count)


def _power(factor: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """A polynomial's coefficients to the power of ``exponent``, as many as it has."""
    product: NDArray[np.float64] = np.eye(1, len(factor))[0]
    while exponent:
        if exponent % 2:
            product = np.convolve(product, factor)[: len(factor)]
        factor = np.convolve(factor, factor)[: len(factor)]
        exponent //= 2
    return product

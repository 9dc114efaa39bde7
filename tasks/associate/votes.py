"""What is saved by knowing the values of a sequence, but not which of them is asked for."""

from __future__ import annotations

import math

import numpy as np


def saved_by_votes(count: int, values: int) -> float:
    """The share of chance's errors that the most frequent of ``count`` uniform values saves.

    The answer is one of them, each as likely. It is right with the mean of the largest number of
    equal values over ``count``, and chance with 1 / ``values``.
    """
    largest = sum(1 - _at_most(most, count, values) for most in range(count))
    return (largest / count - 1 / values) / (1 - 1 / values)


def _at_most(most: int, count: int, values: int) -> float:
    """The probability that no value occurs more than ``most`` times.

    It is the coefficient of x^count in (1 + x + ... + x^most / most!)^values, times
    count! / values^count. With x in units of ``values`` the powers stay within range.
    """
    series = [1 / math.factorial(times) / values**times for times in range(most + 1)]
    product = np.ones(1)
    for _ in range(values):
        product = np.convolve(product, series)[: count + 1]
    return float(product[count] * math.factorial(count)) if len(product) > count else 0.0

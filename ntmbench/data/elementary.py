"""Elementary functions with the same digits on every processor.

IEEE 754 fixes every digit of a sum, a product, a quotient and a square root, but of no other
function: a C library, NumPy or PyTorch computes those with whatever instructions it finds. Here
they are series of exactly rounded operations, for a ``float`` as for an array of float64.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = TypeVar("Numbers", float, Array)

#: ln 2 in two parts; the first has few enough bits that its multiples by an exponent are exact.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
#: Coefficients of the highest power first: of artanh(s) / s in s^2 for |s| below 0.172, and of
#: sin(x) / x in x^2 for x up to pi / 2. The next term is below the last digit.
_ARTANH = [1 / (2 * k + 1) for k in range(11, -1, -1)]
_SINE = [(-1) ** k / math.factorial(2 * k + 1) for k in range(10, -1, -1)]


def log(x: Array) -> Array:
    """The natural logarithm of normal positive numbers."""
    fraction, exponent = np.frexp(x)
    low = fraction < math.sqrt(0.5)
    fraction, exponent = np.where(low, 2 * fraction, fraction), exponent - low
    s = (fraction - 1) / (fraction + 1)
    result: Array = exponent * _LN2_HIGH + (exponent * _LN2_LOW + 2 * s * _series(s * s, _ARTANH))
    return result


def sine_squared(quarter_turns: Numbers) -> Numbers:
    """The squared sine of 0 to 1 quarter turns; of t quarter turns it is (1 - cos(pi t)) / 2."""
    angle = quarter_turns * (math.pi / 2)
    sine = angle * _series(angle * angle, _SINE)
    return sine * sine


def power(base: float, exponent: int) -> float:
    """``base`` to the power of a whole number that is not negative."""
    result, square = 1.0, base
    while exponent > 0:
        if exponent % 2:
            result *= square
        square *= square
        exponent //= 2
    return result


def _series(x: Numbers, coefficients: list[float]) -> Numbers:
    result = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        result = result * x + coefficient
    return result

"""Elementary functions against those of the C library, and of whole numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntmbench.data.elementary import log, power, sine_squared
from ntmbench.data.randomness import RandomWords, Stream

UNIT = RandomWords(Stream.TEST, 11).uniform(10_000)


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 1e300])
def test_log(scale: float) -> None:
    np.testing.assert_allclose(log(UNIT * scale), np.log(UNIT * scale), rtol=1e-15)


def test_log_near_one_keeps_its_precision() -> None:
    near = 1 + (UNIT - 0.5) * 1e-6
    np.testing.assert_allclose(log(near), np.log(near), rtol=1e-15)
    assert log(np.array(1.0)) == 0


def test_sine_squared() -> None:
    np.testing.assert_allclose(sine_squared(UNIT), np.sin(np.pi / 2 * UNIT) ** 2, rtol=2e-15)
    assert sine_squared(0.0) == 0.0
    assert sine_squared(1.0) == 1.0


def test_a_number_and_an_array_have_the_same_digits() -> None:
    assert [sine_squared(float(turn)) for turn in UNIT[:100]] == sine_squared(UNIT[:100]).tolist()


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.floats(0.5, 1), st.integers(0, 1000))
def test_power(base: float, exponent: int) -> None:
    exact = float(Fraction(base) ** exponent)
    assert math.isclose(power(base, exponent), exact, rel_tol=1e-12)

"""Shared parts of the tests of statistics: samples, and tolerances for counts of coverage."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ntmbench.statistics.intervals import Interval

# Halves, so that shifts and scales are exact.
VALUES = st.lists(st.integers(-2000, 2000).map(lambda value: value / 2), min_size=1, max_size=12)

Sampler = Callable[[np.random.Generator, int], NDArray[np.float64]]


def normal(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    return generator.normal(size=count)


def skewed(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    return generator.exponential(size=count)


reproducible = settings(derandomize=True, deadline=None)


def three_errors(share: float, count: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / count)


def holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high

"""Statistics of one group of runs: quantiles, means, shares, and their intervals.

Seeds are the unit of replication. A run that never got somewhere counts with infinity there, so
that no median is taken over the lucky ones alone. What is random here is seeded: the same values
give the same interval on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.randomness import RandomWords, Stream

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds of its confidence interval, both included."""

    estimate: float
    low: float
    high: float


class Statistic(Protocol):
    """A statistic along one axis of an array, like ``np.median``."""

    def __call__(self, values: FloatArray, /, *, axis: int) -> Any:
        """Reduce ``axis``; one number for an array of one dimension."""


def quantile(values: Iterable[float], share: float) -> float:
    """The quantile by linear interpolation of values that may be infinite, but not NaN.

    Between a finite value and infinity lies infinity. NaN where there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        return math.nan
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    part = place - low
    if part == 0:
        return ordered[low]
    if math.isinf(ordered[low + 1]):
        return math.inf
    return ordered[low] + part * (ordered[low + 1] - ordered[low])


@overload
def interquartile_mean(values: Iterable[float]) -> float: ...
@overload
def interquartile_mean(values: FloatArray, *, axis: int) -> FloatArray: ...
def interquartile_mean(values: Iterable[float] | FloatArray, *, axis: int = -1) -> Any:
    """The mean of the middle half of the values, along ``axis`` (Agarwal et al. 2021, section 4.3).

    Where their number is not a multiple of 4, the outermost that are counted have a part of the
    weight: of 10 values the third and the eighth count half. Infinite where an infinite value has
    any weight, NaN where there are no values.

    Raises:
        ValueError: if a value is NaN.
    """
    array = values if isinstance(values, np.ndarray) else np.array(list(values), dtype=float)
    ordered = np.moveaxis(np.sort(array, axis=axis), axis, -1)  # [..., n]
    _refuse_nan(ordered)
    count = ordered.shape[-1]
    if count == 0:
        return np.full(ordered.shape[:-1], math.nan)[()]
    # The part of each value's cell that lies in the middle half, in units of 1 / 4: whole numbers,
    # so that the mean of ones is 1.
    weights = np.diff(np.clip(4 * np.arange(count + 1), count, 3 * count))
    kept = weights > 0  # infinity times zero would be NaN
    return ordered[..., kept] @ weights[kept] / (2 * count)


def lower_median(values: FloatArray, *, axis: int) -> FloatArray:
    """The median; of an even number the lower of the two in the middle, as a value that occurs."""
    return np.quantile(values, 0.5, axis=axis, method="lower")


def bootstrap_interval(
    strata: Iterable[Iterable[float]],
    statistic: Statistic = interquartile_mean,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Stratified percentile bootstrap of a statistic (Efron 1979; Agarwal et al. 2021, section 4).

    ``strata`` holds the values of each stratum (the runs of one task, say); each is resampled by
    itself, and the statistic of each: ``interquartile_mean``, ``np.median``, or any other that
    takes an axis. Told is the mean over the strata, so that each counts alike: to pool them, as the
    latter do, leaves the hardest task and the easiest without any weight. Values may be infinite.
    Their order, and that of the strata, makes no difference.

    The bounds are too close where there are few values. Measured on one stratum at a level of 95%,
    for normal and for exponential values alike to about a point: the interval of the
    interquartile mean holds the truth in 90% of the cases with 5 values, 93% with 10 and 94.5% with
    30; that of the median in 94%, 93.5% and 94%. That of the mean over six strata of 5 or 10 values
    holds it in 96.5% for normal values, and in 89% and 90% for exponential ones: the bias of few
    values does not average out. Values that are all equal give an interval without width, which is
    no proof that others would be equal too.

    Returns:
        The mean statistic of ``strata`` and the bounds, each that of a resample and not between
        two, so that a length is bounded by lengths. NaN bounds where no stratum has two values, so
        that nothing is known of the spread, and NaN throughout without any value.

    Raises:
        ValueError: if a value is NaN, or ``level`` or ``resamples`` is out of range.
    """
    _check_level(level)
    if resamples < 1:
        raise ValueError(f"resamples={resamples} is out of range. Allowed: 1 or more.")
    # In an order of their own, so that the draws do not depend on the caller's.
    ordered = [
        np.array(stratum, dtype=float) for stratum in sorted(sorted(values) for values in strata)
    ]
    filled = [stratum for stratum in ordered if len(stratum)]
    if not filled:
        return Interval(math.nan, math.nan, math.nan)
    for stratum in filled:
        _refuse_nan(stratum)
    estimate = float(np.mean([statistic(stratum, axis=-1) for stratum in filled]))
    if all(len(stratum) == 1 for stratum in filled):
        return Interval(estimate, math.nan, math.nan)
    words = RandomWords(Stream.STATISTICS, seed)
    drawn = [
        stratum[words.integers(0, len(stratum) - 1, resamples, len(stratum))] for stratum in filled
    ]
    of_each = [statistic(values, axis=-1) for values in drawn]  # [resamples], of each stratum
    statistics = np.sort(np.mean(of_each, axis=0)).tolist()
    outside = math.floor((1 - level) / 2 * (resamples - 1))
    return Interval(estimate, statistics[outside], statistics[-1 - outside])


def wilson_interval(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """A share and its score interval (Wilson 1927).

    Unlike the interval from the standard error, it has a width where none or all succeeded. Without
    trials the share is NaN, and may be anything from 0 to 1.

    Raises:
        ValueError: unless ``0 <= successes <= trials`` and ``0 < level < 1``.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials is not possible.")
    squared = normal_score(level) ** 2
    if trials == 0:
        return Interval(math.nan, 0.0, 1.0)
    share = successes / trials
    middle = (successes + squared / 2) / (trials + squared)
    spread = share * (1 - share) * trials + squared / 4
    half = math.sqrt(squared * spread) / (trials + squared)
    # Where all succeeded the upper bound is 1, but for rounding.
    high = 1.0 if successes == trials else middle + half
    return Interval(share, middle - half, high)


def effective_length(lengths: Iterable[float], exact_match: Iterable[float], share: float) -> int:
    """The longest test length up to which a run has at least ``share`` of the sequences exact.

    Every shorter tested length has that share too; 0 where not even the shortest has. The arguments
    are the columns of one run's ``evaluation.csv``, in any order; a NaN among ``exact_match`` is
    below every share.

    Raises:
        ValueError: if the columns differ in length, or ``share`` is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share={share} is out of range. Allowed: above 0 and at most 1.")
    # 99 of 100 are 99%, whatever the rounding of means over batches.
    at_least = share - 1e-9
    scores = list(zip(lengths, exact_match, strict=True))
    fails_at = min((length for length, exact in scores if not exact >= at_least), default=math.inf)
    return int(max((length for length, _ in scores if length < fails_at), default=0))


def normal_score(level: float) -> float:
    """How many standard deviations hold ``level`` of a normal distribution: 1.96 for 0.95.

    Raises:
        ValueError: unless ``0 < level < 1``.
    """
    _check_level(level)
    return NormalDist().inv_cdf((1 + level) / 2)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level={level} is out of range. Allowed: above 0 and below 1.")


def _refuse_nan(values: FloatArray) -> None:
    if np.isnan(values).any():
        raise ValueError("A value is NaN, which has no rank.")

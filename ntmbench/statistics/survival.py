"""Survival: Kaplan-Meier curves and their medians, for times of which some are only bounds.

A run that has not solved its task is not a missing value. It shows that solving takes longer than
it was trained for, and it counts among those at risk until then.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from ntmbench.statistics.intervals import Interval, wilson_interval

# A product of fractions that should be one half may be off by so much.
ROUNDING = 1e-12


def kaplan_meier(
    times: Iterable[float], observed: Iterable[bool], *, level: float = 0.95
) -> pd.DataFrame:
    """The share of runs for which an event is still to come, over time (Kaplan and Meier 1958).

    A time is that of the event if it was ``observed``, else of the end of observation (the columns
    ``time`` and ``observed`` of ``outcomes``). Censoring is assumed to say nothing about when the
    event would have come. A run that is censored at the time of an event is at risk of it.

    The band holds the curve at any one time with the probability ``level``. It comes from
    Greenwood's variance on the scale of log(-log(survival)) (Kalbfleisch and Prentice 1980), which
    keeps it between 0 and 1. That scale has no value at either end. Before the first event, the
    lower bound is Wilson's for as many runs as are at risk. After the last run's event, the upper
    bound is Wilson's for none left of those at risk before that time, or the bound of the time
    before, whichever is less.

    Returns:
        A row at time 0 and at each distinct time: ``time``, ``at_risk`` (just before it),
        ``events`` and ``censored`` (at it), ``survival`` (after it), and the band ``low``,
        ``high``.

    Raises:
        ValueError: if a time is negative or not finite, the arguments differ in length, or
            ``level`` is not above 0 and below 1.
    """
    time = np.array(list(times), dtype=float)
    event = np.array(list(observed), dtype=bool)
    if time.shape != event.shape:
        raise ValueError(f"There are {len(time)} times but {len(event)} say if observed.")
    if not (np.isfinite(time) & (time >= 0)).all():
        raise ValueError("A time is negative or not finite; a run without an event is censored.")
    points = np.union1d([0.0], time)
    place = np.searchsorted(points, time)
    events = np.bincount(place[event], minlength=len(points))
    censored = np.bincount(place[~event], minlength=len(points))
    at_risk = len(time) - np.cumsum(events + censored) + events + censored
    survival, low, high = (np.ones(len(points)) for _ in range(3))
    if len(time):
        function = stats.ecdf(stats.CensoredData.right_censored(time, ~event)).sf
        with warnings.catch_warnings():
            # This concerns both ends, where the band is set below.
            warnings.filterwarnings("ignore", "The confidence interval is undefined")
            band = function.confidence_interval(confidence_level=level, method="log-log")
        survival, low, high = (part.evaluate(points) for part in (function, band.low, band.high))
    for at in np.flatnonzero(survival == 1):
        low[at] = wilson_interval(at_risk[at], at_risk[at], level=level).low
        high[at] = 1.0
    for at in np.flatnonzero(survival == 0):
        low[at] = 0.0
        before = high[at - 1] if at else 1.0
        high[at] = min(before, wilson_interval(0, at_risk[at], level=level).high)
    return pd.DataFrame(
        {
            "time": points,
            "at_risk": at_risk,
            "events": events,
            "censored": censored,
            "survival": survival,
            "low": low,
            "high": high,
        }
    )


def survival_median(curve: pd.DataFrame) -> Interval:
    """The time at which half of a ``kaplan_meier`` curve is left, and its interval.

    If the curve stays at one half for a while, the median is the middle of that stretch, as for any
    even number of values, and infinite if the stretch never ends. The bounds are the times at which
    the curve's band falls to one half (Brookmeyer and Crowley 1982), so that the level is the
    curve's. A bound is infinite if the band does not fall so far. A lower bound is at most the last
    time, since nothing is known beyond it.
    """
    half = 0.5 + ROUNDING
    return Interval(
        sum(rest_at_half(curve)) / 2,
        min(_falls_to(half, curve, "low"), float(curve["time"].iloc[-1])),
        _falls_to(half, curve, "high"),
    )


def rest_at_half(curve: pd.DataFrame) -> tuple[float, float]:
    """The first and the last time at which one half of a ``kaplan_meier`` curve is left.

    They are equal if the curve passes one half in a single step. If they differ, no event lies
    between them, and so none at the median.
    """
    return (
        _falls_to(0.5 + ROUNDING, curve, "survival"),
        _falls_to(0.5 - ROUNDING, curve, "survival"),
    )


def _falls_to(share: float, curve: pd.DataFrame, column: str) -> float:
    fallen = curve.loc[curve[column] <= share, "time"]
    return float(fallen.iloc[0]) if len(fallen) else math.inf

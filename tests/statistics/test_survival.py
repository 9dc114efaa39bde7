"""Survival curves and their medians: against publications and simulation.

Where coverage is counted, the tolerance is three standard errors of that count.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ntmbench.statistics.intervals import Interval, wilson_interval
from ntmbench.statistics.survival import kaplan_meier, survival_median
from tests.sampling import holds, reproducible, three_errors

INF = math.inf

# Weeks in remission under 6-mercaptopurine, relapses first, and under placebo, all relapsed
# (Freireich et al. 1963, Blood 21:699).
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [True] * 9 + [False] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

FOLLOWED = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=12)


def test_the_kaplan_meier_estimates_of_the_leukemia_data_are_the_published_ones() -> None:
    # Kleinbaum and Klein, Survival Analysis, chapter 2; also Cox and Oakes 1984, section 4.2.
    curve = kaplan_meier(TREATED, RELAPSED)
    at_events = curve[curve["events"] > 0]
    assert at_events["time"].to_list() == [6, 7, 10, 13, 16, 22, 23]
    assert at_events["at_risk"].to_list() == [21, 17, 15, 12, 11, 7, 6]
    assert at_events["events"].to_list() == [3, 1, 1, 1, 1, 1, 1]
    assert at_events["survival"].round(4).to_list() == [
        *(0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482)
    ]
    assert curve["censored"].sum() == 12
    assert survival_median(curve).estimate == 23
    assert survival_median(kaplan_meier(PLACEBO, [True] * 21)).estimate == 8


def test_the_band_of_the_leukemia_data_is_greenwoods_on_the_log_log_scale() -> None:
    """At 10 weeks, by hand: the sum of d / (n (n - d)) up to there, and 1.96 of its root."""
    curve = kaplan_meier(TREATED, RELAPSED).set_index("time")
    survival, low, high = (float(curve[column][10]) for column in ("survival", "low", "high"))
    variance = 3 / (21 * 18) + 1 / (17 * 16) + 1 / (15 * 14)
    spread = stats.norm.ppf(0.975) * math.sqrt(variance) / -math.log(survival)
    assert low == pytest.approx(survival ** math.exp(spread))
    assert high == pytest.approx(survival ** math.exp(-spread))


@reproducible
@given(FOLLOWED)
def test_a_survival_curve_depends_on_no_order_and_on_no_unit_of_time(
    followed: list[tuple[int, bool]],
) -> None:
    curve = kaplan_meier(*zip(*followed, strict=True))
    again = kaplan_meier(*zip(*reversed(followed), strict=True))
    pd.testing.assert_frame_equal(again, curve)
    later = kaplan_meier([1000 * time for time, _ in followed], [seen for _, seen in followed])
    pd.testing.assert_frame_equal(later, curve.assign(time=1000 * curve["time"]))


@reproducible
@given(FOLLOWED)
def test_a_survival_curve_falls_within_its_band(followed: list[tuple[int, bool]]) -> None:
    curve = kaplan_meier(*zip(*followed, strict=True))
    assert curve["time"].iloc[0] == 0
    assert curve["at_risk"].iloc[0] == len(followed)
    assert curve["events"].sum() + curve["censored"].sum() == len(followed)
    assert curve["survival"].is_monotonic_decreasing
    assert (curve["low"] <= curve["survival"]).all()
    assert (curve["survival"] <= curve["high"]).all()
    assert curve["low"].min() >= 0
    assert curve["high"].max() <= 1
    median = survival_median(curve)
    assert median.low <= median.estimate <= median.high


@pytest.mark.slow
@pytest.mark.parametrize("count", [10, 30])
def test_the_band_and_the_median_cover_the_truth(count: int) -> None:
    generator = np.random.default_rng(count)
    held = []
    for _ in range(600):
        event = generator.exponential(size=count)
        censored = generator.uniform(0.5, 3, size=count)
        curve = kaplan_meier(np.minimum(event, censored), event <= censored)
        now = curve[curve["time"] <= 0.5].iloc[-1]
        median = survival_median(curve)
        held.append([now["low"] <= math.exp(-0.5) <= now["high"], holds(median, math.log(2))])
    assert np.mean(held, axis=0) == pytest.approx([0.95, 0.95], abs=three_errors(0.95, 600))


def test_the_curve_of_runs_that_never_solve_is_not_certain() -> None:
    curve = kaplan_meier([5000.0] * 5, [False] * 5)
    assert curve["survival"].to_list() == [1, 1]
    assert curve["low"].to_list() == pytest.approx([wilson_interval(5, 5).low] * 2)
    # Longer than the budget, and how much nobody knows.
    assert survival_median(curve) == Interval(INF, 5000, INF)
    # Two runs could both be among the slower half by chance.
    assert survival_median(kaplan_meier([5000.0] * 2, [False] * 2)) == Interval(INF, 0, INF)


def test_the_band_of_a_curve_at_zero_keeps_the_upper_bound_before_or_wilsons() -> None:
    curve = kaplan_meier([1.0, 2.0, 3.0, 4.0, 5.0], [True] * 5)
    assert curve["survival"].iloc[-1] == 0
    assert curve["low"].iloc[-1] == 0
    assert curve["high"].iloc[-1] == curve["high"].iloc[-2]
    # No interval for the median of 5 can be bounded: all lie above it once in 32.
    assert survival_median(curve) == Interval(3, 1, INF)


def test_half_of_the_runs_is_half_though_the_product_was_rounded() -> None:
    for count in range(2, 60, 2):
        median = survival_median(kaplan_meier(range(1, count + 1), [True] * count))
        assert median.estimate == (count + 1) / 2  # the middle of the two, as for any values


def test_half_of_the_runs_that_never_solve_make_the_median_infinite() -> None:
    curve = kaplan_meier([1.0, 2.0, 9.0, 9.0], [True, True, False, False])
    assert survival_median(curve).estimate == INF
    assert survival_median(kaplan_meier([1.0, 2.0, 4.0, 9.0], [True] * 3 + [False])).estimate == 3


def test_events_may_come_at_once() -> None:
    curve = kaplan_meier([0.0, 0.0], [True, True])
    assert curve["survival"].to_list() == [0]
    assert (curve["low"][0], curve["high"][0]) == (0, wilson_interval(0, 2).high)
    # That all of ten are among the faster half by chance is nothing to reckon with.
    assert survival_median(kaplan_meier([4000] * 10, [True] * 10)) == Interval(4000, 4000, 4000)
    assert survival_median(kaplan_meier([0] * 10, [True] * 10)) == Interval(0, 0, 0)
    # With three it is: once in eight.
    assert survival_median(kaplan_meier([4000] * 3, [True] * 3)).high == INF


@pytest.mark.parametrize("time", [-1.0, INF, math.nan])
def test_a_time_that_is_none_is_refused(time: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        kaplan_meier([1.0, time], [True, True])


def test_times_without_a_say_if_observed_are_refused() -> None:
    with pytest.raises(ValueError, match="2 times but 1"):
        kaplan_meier([1.0, 2.0], [True])

"""Means, shares and their intervals: against publications, brute force and simulation.

Where coverage is counted, the tolerance is three standard errors of that count.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ntmbench.statistics.intervals import (
    Interval,
    Statistic,
    bootstrap_interval,
    interquartile_mean,
    wilson_interval,
)
from tests.sampling import VALUES, Sampler, holds, normal, reproducible, skewed, three_errors

INF = math.inf

# Of the exponential distribution, whose quantiles are -log(x). The mean of those of the middle half
# is 2 [x - x log(x)] from 1/4 to 3/4.
SKEWED_MEDIAN = math.log(2)
SKEWED_MEAN = 2 * (0.5 - 0.75 * math.log(0.75) + 0.25 * math.log(0.25))


# Interquartile mean


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7], 7),
        ([1, 3], 2),
        ([0, 4, 100], (0.25 * 0 + 4 + 0.25 * 100) / 1.5),
        ([100, 2, 4, -50], 3),
        ([0, 9, 1, 4, 1, 0, 1, 2, 9, 1], (0.5 * 1 + 1 + 1 + 1 + 2 + 0.5 * 4) / 5),
        ([1, 2, 3, INF], 2.5),
        ([1, 2, 3, INF, INF], INF),
        ([1, 2, INF], INF),
        ([INF, INF], INF),
    ],
)
def test_the_interquartile_mean_weighs_the_middle_half(
    values: list[float], expected: float
) -> None:
    assert interquartile_mean(values) == pytest.approx(expected)


@reproducible
@given(
    st.integers(1, 5).flatmap(lambda n: st.lists(st.floats(0, 9), min_size=4 * n, max_size=4 * n))
)
def test_the_interquartile_mean_of_a_multiple_of_four_is_scipys(values: list[float]) -> None:
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25))


def test_the_interquartile_mean_of_each_row_is_that_of_the_row() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 7))
    expected = [interquartile_mean(row) for row in rows]
    assert interquartile_mean(rows, axis=1).tolist() == pytest.approx(expected)
    assert interquartile_mean(rows.T, axis=0).tolist() == pytest.approx(expected)


def test_there_is_no_interquartile_mean_of_nothing_or_of_nan() -> None:
    assert math.isnan(interquartile_mean([]))
    with pytest.raises(ValueError, match="NaN"):
        interquartile_mean([1, math.nan])


# Bootstrap


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statistic", "sampler", "truth", "shares"),
    [
        (interquartile_mean, normal, 0, {5: 0.90, 10: 0.93, 30: 0.945}),
        (interquartile_mean, skewed, SKEWED_MEAN, {5: 0.90, 10: 0.93, 30: 0.945}),
        (np.median, normal, 0, {5: 0.94, 10: 0.935, 30: 0.94}),
        (np.median, skewed, SKEWED_MEDIAN, {5: 0.94, 10: 0.935, 30: 0.94}),
    ],
)
def test_the_bootstrap_covers_what_its_docstring_says(
    statistic: Statistic, sampler: Sampler, truth: float, shares: dict[int, float]
) -> None:
    for count, expected in shares.items():
        generator = np.random.default_rng(count)
        held = [
            holds(
                bootstrap_interval(
                    [sampler(generator, count)], statistic, resamples=400, seed=repeat
                ),
                truth,
            )
            for repeat in range(1200)
        ]
        # 400 resamples in place of 2,000 lose half a point.
        tolerance = 0.005 + three_errors(expected, 1200)
        assert np.mean(held) == pytest.approx(expected, abs=tolerance), count


@pytest.mark.parametrize(
    ("sampler", "count", "expected"),
    [
        (normal, 5, 0.965),
        pytest.param(normal, 10, 0.965, marks=pytest.mark.slow),
        pytest.param(skewed, 5, 0.89, marks=pytest.mark.slow),
        (skewed, 10, 0.90),
    ],
)
def test_the_stratified_bootstrap_covers_what_its_docstring_says(
    sampler: Sampler, count: int, expected: float
) -> None:
    truth = 2.5 + (0 if sampler is normal else SKEWED_MEAN)  # a stratum's number more in each
    generator = np.random.default_rng(count)
    held = [
        holds(
            bootstrap_interval(
                [sampler(generator, count) + stratum for stratum in range(6)],
                resamples=400,
                seed=repeat,
            ),
            truth,
        )
        for repeat in range(1200)
    ]
    assert np.mean(held) == pytest.approx(expected, abs=0.005 + three_errors(expected, 1200))


@pytest.mark.parametrize(("at_zero", "expected"), [(0.5, 0.88), (0.7, 0.80)])
def test_intervals_over_five_seeds_are_too_close_where_many_are_at_zero(
    at_zero: float, expected: float
) -> None:
    # Zero with that probability, else exponential: of the middle half the quantiles from there to
    # 3/4 are above zero, -log((1 - u) / (1 - at_zero)).
    last = 0.25 / (1 - at_zero)
    truth = 2 * (1 - at_zero) * (1 - last + last * math.log(last))
    generator = np.random.default_rng(5)
    held = [
        holds(
            bootstrap_interval(
                [skewed(generator, 5) * (generator.random(5) > at_zero)], resamples=400, seed=repeat
            ),
            truth,
        )
        for repeat in range(1200)
    ]
    assert np.mean(held) == pytest.approx(expected, abs=0.005 + three_errors(expected, 1200))


def test_the_bootstrap_of_two_values_is_that_of_all_its_resamples() -> None:
    """Their means are 0, 1/2 and 1 with the probabilities 1/4, 1/2 and 1/4."""
    values = [0.0, 1.0]
    assert bootstrap_interval([values], np.mean, level=0.4) == Interval(0.5, 0.5, 0.5)
    assert bootstrap_interval([values], np.mean, level=0.6) == Interval(0.5, 0, 1)


def test_a_bootstrap_is_the_same_each_time_and_another_with_another_seed() -> None:
    values = [skewed(np.random.default_rng(1), 12).tolist()]
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


def test_strata_are_resampled_each_by_itself() -> None:
    # Between the strata lies a hundred, within them nothing: pooling them would mix the two.
    apart = bootstrap_interval([[0.0] * 4, [100.0] * 4])
    assert apart == Interval(50, 50, 50)
    assert bootstrap_interval([[0.0] * 4 + [100.0] * 4]).low < 20


def test_one_value_tells_nothing_of_the_spread() -> None:
    alone = bootstrap_interval([[3.0], []])
    assert alone.estimate == 3
    assert math.isnan(alone.low)
    assert math.isnan(alone.high)
    assert math.isnan(bootstrap_interval([[]]).estimate)


def test_infinite_values_make_infinite_bounds_where_they_count() -> None:
    assert bootstrap_interval([[1.0] * 9 + [INF]]) == Interval(1, 1, INF)
    assert bootstrap_interval([[INF] * 9 + [1.0]]) == Interval(INF, INF, INF)


@pytest.mark.parametrize("bad", [{"level": 0.0}, {"level": 1.0}, {"level": 95.0}, {"resamples": 0}])
def test_a_bootstrap_out_of_range_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        bootstrap_interval([[1.0, 2.0]], **bad)  # type: ignore[arg-type]


def test_a_bootstrap_of_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        bootstrap_interval([[1.0, math.nan]], np.median)


@reproducible
@given(VALUES, VALUES, st.sampled_from([0.5, 2.0, 8.0]))
def test_the_bootstrap_follows_shifts_and_scales_and_no_order(
    first: list[float], second: list[float], scale: float
) -> None:
    interval = bootstrap_interval([first, second], resamples=100)
    turned = bootstrap_interval([second[::-1], sorted(first)], resamples=100)
    np.testing.assert_equal(turned, interval)
    moved = bootstrap_interval(
        [[scale * value + 10 for value in values] for values in (first, second)], resamples=100
    )
    for bound in ("estimate", "low", "high"):
        expected = scale * getattr(interval, bound) + 10
        assert getattr(moved, bound) == pytest.approx(expected, nan_ok=True)


@reproducible
@given(VALUES.filter(lambda values: len(values) > 1))
def test_the_bootstrap_interval_contains_its_estimate(values: list[float]) -> None:
    for statistic in (interquartile_mean, np.median):
        interval = bootstrap_interval([values], statistic, resamples=400)
        assert interval.low - 1e-9 <= interval.estimate <= interval.high + 1e-9


# Shares


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_newcombe_1998(
    successes: int, trials: int, low: float, high: float
) -> None:
    # Statistics in Medicine 17:857, table I, method 3.
    interval = wilson_interval(successes, trials)
    assert interval.estimate == successes / trials
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("trials", [5, 10, 30])
def test_wilson_intervals_cover_the_truth_on_average(trials: int) -> None:
    truths = np.linspace(0.01, 0.99, 197)
    intervals = [wilson_interval(successes, trials) for successes in range(trials + 1)]
    held = np.array([[holds(interval, truth) for interval in intervals] for truth in truths])
    chances = stats.binom.pmf(np.arange(trials + 1), trials, truths[:, None])
    coverage = (held * chances).sum(axis=1)
    assert coverage.mean() == pytest.approx(0.95, abs=0.01)
    assert coverage.min() > 0.83  # near the ends (Brown, Cai and DasGupta 2001)


def test_none_of_many_may_be_none_at_all_and_all_may_be_all() -> None:
    for trials in range(1, 200):
        assert wilson_interval(0, trials).low == 0
        assert wilson_interval(trials, trials).high == 1


def test_without_trials_the_share_may_be_anything() -> None:
    nothing = wilson_interval(0, 0)
    assert math.isnan(nothing.estimate)
    assert (nothing.low, nothing.high) == (0, 1)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 2), (3, 2), (0, -1)])
def test_an_impossible_share_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="not possible"):
        wilson_interval(successes, trials)

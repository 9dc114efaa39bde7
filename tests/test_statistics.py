"""Intervals, survival curves and paired tests: against SciPy, publications and simulation.

Where coverage is counted, the tolerance is three standard errors of that count.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from ntmbench.report.comparison import (
    EXACT_PAIRS,
    detectable_difference,
    holm,
    permutation_test,
    smallest_p,
)
from ntmbench.report.statistics import (
    Interval,
    Statistic,
    bootstrap_interval,
    effective_length,
    interquartile_mean,
    wilson_interval,
)
from ntmbench.report.survival import kaplan_meier, survival_median

INF = math.inf

# Weeks in remission under 6-mercaptopurine, relapses first, and under placebo, all relapsed
# (Freireich et al. 1963, Blood 21:699).
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [True] * 9 + [False] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

# Eighths of an inch by which Darwin's crossed maize outgrew its selfed pair (Fisher 1935).
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]

# Halves, so that shifts and scales are exact.
VALUES = st.lists(st.integers(-2000, 2000).map(lambda value: value / 2), min_size=1, max_size=12)
FOLLOWED = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=12)

Sampler = Callable[[np.random.Generator, int], NDArray[np.float64]]


def _normal(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    return generator.normal(size=count)


def _skewed(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    return generator.exponential(size=count)


# Of the exponential distribution, whose quantiles are -log(x). The mean of those of the middle half
# is 2 [x - x log(x)] from 1/4 to 3/4.
SKEWED_MEDIAN = math.log(2)
SKEWED_MEAN = 2 * (0.5 - 0.75 * math.log(0.75) + 0.25 * math.log(0.25))

reproducible = settings(derandomize=True, deadline=None)


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def _three_errors(share: float, count: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / count)


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


@pytest.mark.parametrize(
    ("statistic", "sampler", "truth", "shares"),
    [
        (interquartile_mean, _normal, 0, {5: 0.90, 10: 0.93, 30: 0.945}),
        (interquartile_mean, _skewed, SKEWED_MEAN, {5: 0.90, 10: 0.93, 30: 0.945}),
        (np.median, _normal, 0, {5: 0.94, 10: 0.935, 30: 0.94}),
        (np.median, _skewed, SKEWED_MEDIAN, {5: 0.94, 10: 0.935, 30: 0.94}),
    ],
)
def test_the_bootstrap_covers_what_its_docstring_says(
    statistic: Statistic, sampler: Sampler, truth: float, shares: dict[int, float]
) -> None:
    for count, expected in shares.items():
        generator = np.random.default_rng(count)
        held = [
            _holds(
                bootstrap_interval(
                    [sampler(generator, count)], statistic, resamples=400, seed=repeat
                ),
                truth,
            )
            for repeat in range(1200)
        ]
        # 400 resamples in place of 2,000 lose half a point.
        tolerance = 0.005 + _three_errors(expected, 1200)
        assert np.mean(held) == pytest.approx(expected, abs=tolerance), count


def test_the_bootstrap_of_one_stratum_is_scipys() -> None:
    values = _skewed(np.random.default_rng(1), 12)
    for statistic in (np.median, interquartile_mean):
        ours = bootstrap_interval([values.tolist()], statistic, resamples=20_000)
        scipys = stats.bootstrap(
            (values,), statistic, n_resamples=20_000, method="percentile", rng=0
        ).confidence_interval
        assert ours.low == pytest.approx(scipys.low, abs=0.03)
        assert ours.high == pytest.approx(scipys.high, abs=0.03)


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


@reproducible
@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_intervals_are_scipys(counts: tuple[int, int]) -> None:
    ours = wilson_interval(*counts, level=0.9)
    scipys = stats.binomtest(*counts).proportion_ci(0.9, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((scipys.low, scipys.high))
    assert 0 <= ours.low <= ours.estimate <= ours.high <= 1


@pytest.mark.parametrize("trials", [5, 10, 30])
def test_wilson_intervals_cover_the_truth_on_average(trials: int) -> None:
    truths = np.linspace(0.01, 0.99, 197)
    intervals = [wilson_interval(successes, trials) for successes in range(trials + 1)]
    held = np.array([[_holds(interval, truth) for interval in intervals] for truth in truths])
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


# Effective length


@pytest.mark.parametrize(
    ("exact_match", "share", "expected"),
    [
        ([1, 1, 0.95, 0.5], 0.9, 50),
        ([1, 1, 0.95, 0.5], 0.99, 20),
        ([1, 0.5, 1, 1], 0.9, 10),  # what comes after a failure does not count
        ([0.5, 1, 1, 1], 0.9, 0),
        ([1, 1, 1, 1], 1, 120),
        ([1, math.nan, 1, 1], 0.9, 10),
        ([0.99 - 1e-12, 0.99, 0.98, 0], 0.99, 20),
    ],
)
def test_the_effective_length_ends_before_the_first_failure(
    exact_match: list[float], share: float, expected: int
) -> None:
    lengths = [10, 20, 50, 120]
    assert effective_length(lengths, exact_match, share) == expected
    assert effective_length(lengths[::-1], exact_match[::-1], share) == expected


def test_an_effective_length_of_nothing_is_zero() -> None:
    assert effective_length([], [], 0.9) == 0


def test_effective_lengths_of_bad_input_are_refused() -> None:
    with pytest.raises(ValueError, match="share=90"):
        effective_length([10], [1.0], 90)
    with pytest.raises(ValueError, match="zip"):
        effective_length([10, 20], [1.0], 0.9)


# Times to an event


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


@reproducible
@given(FOLLOWED)
def test_survival_curves_and_bands_are_scipys(followed: list[tuple[int, bool]]) -> None:
    times, observed = map(np.array, zip(*followed, strict=True))
    curve = kaplan_meier(times, observed)
    if not observed.any():
        assert (curve["survival"] == 1).all()
        return
    scipys = stats.ecdf(stats.CensoredData.right_censored(times, ~observed)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has no bounds where all or none are left
        band = scipys.confidence_interval(method="log-log")
    at = curve[curve["time"] >= times.min()]
    assert at["survival"].to_list() == pytest.approx(scipys.evaluate(at["time"]).tolist())
    inside = at[(at["survival"] > 1e-9) & (at["survival"] < 1)]
    for column, bound in (("low", band.low), ("high", band.high)):
        assert inside[column].to_list() == pytest.approx(bound.evaluate(inside["time"]).tolist())


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
        held.append([now["low"] <= math.exp(-0.5) <= now["high"], _holds(median, math.log(2))])
    assert np.mean(held, axis=0) == pytest.approx([0.95, 0.95], abs=_three_errors(0.95, 600))


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
        assert median.estimate == count / 2


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


# Paired comparison


def test_fishers_test_of_darwins_maize_has_fishers_value() -> None:
    # The Design of Experiments, section 21: 863 of 32,768 arrangements reach 314 on one side.
    assert sum(MAIZE) == 314
    assert permutation_test(MAIZE) == 2 * 863 / 32768


@reproducible
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=8))
def test_the_exact_test_is_scipys(differences: list[int]) -> None:
    scipys = stats.permutation_test(
        (np.array(differences, dtype=float),),
        lambda values, axis: values.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert permutation_test(differences) == pytest.approx(scipys.pvalue)


@reproducible
@given(VALUES, st.sampled_from([-3.0, 0.1, 7.0]))
def test_a_paired_test_depends_on_no_order_sign_or_unit(
    differences: list[float], factor: float
) -> None:
    p = permutation_test(differences)
    assert smallest_p(len(differences)) <= p <= 1
    assert permutation_test(sorted(differences)) == p
    assert permutation_test([factor * value for value in differences]) == p


def test_with_many_pairs_the_resampled_value_is_near_the_exact_one() -> None:
    differences = np.random.default_rng(3).normal(0.4, 1, size=EXACT_PAIRS + 4)
    sums = np.zeros(1)
    for value in differences:
        sums = np.concatenate([sums + value, sums - value])
    exact = float(np.mean(np.abs(sums) >= abs(differences.sum()) - 1e-9))
    resampled = permutation_test(differences)
    assert resampled == pytest.approx(exact, abs=_three_errors(exact, 100_000))
    assert permutation_test(differences) == resampled
    assert permutation_test(differences, seed=1) != resampled


def test_a_resampled_value_is_never_zero() -> None:
    assert permutation_test([1.0] * 40, resamples=999) == 1 / 1000


@pytest.mark.parametrize("pairs", [1, 5, 16])
def test_the_least_value_of_few_pairs_is_reached_and_known(pairs: int) -> None:
    assert permutation_test([0.1 * place + 1 for place in range(pairs)]) == smallest_p(pairs)


def test_models_that_never_differ_are_not_different() -> None:
    assert permutation_test([0.0] * 10) == 1
    assert permutation_test([0.0] * 20) == 1
    assert permutation_test([]) == 1
    assert smallest_p(0) == 1
    assert smallest_p(5000) == 0


@pytest.mark.parametrize("test", [permutation_test, detectable_difference])
@pytest.mark.parametrize("value", [INF, -INF, math.nan])
def test_infinite_differences_are_refused(
    test: Callable[[Iterable[float]], float], value: float
) -> None:
    with pytest.raises(ValueError, match="not finite"):
        test([1.0, value])


@pytest.mark.parametrize("sampler", [_normal, _skewed])
@pytest.mark.parametrize(("pairs", "resamples"), [(8, 1), (20, 199)])
def test_the_paired_test_is_wrong_as_often_as_it_says(
    sampler: Sampler, pairs: int, resamples: int
) -> None:
    generator = np.random.default_rng(pairs)
    # The difference of two alike is symmetric, whatever they are.
    p_values = [
        permutation_test(
            sampler(generator, pairs) - sampler(generator, pairs), resamples=resamples, seed=repeat
        )
        for repeat in range(1000)
    ]
    # Of 2**8 ways, 12 are the most that come in pairs and make no more than 5%.
    expected = 12 / 256 if pairs == 8 else 0.05
    rejected = np.mean(np.array(p_values) <= 0.05)
    assert rejected == pytest.approx(expected, abs=_three_errors(expected, 1000))


# Holm's correction


def test_holms_correction_of_a_worked_example() -> None:
    # Wikipedia, "Holm-Bonferroni method": at 5% the first and the fourth are rejected.
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_rejects_three_of_the_fifteen_of_benjamini_and_hochberg_1995() -> None:
    # Section 3.2: controlling the family-wise error at 5% leaves the three smallest.
    raw = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
    assert [p <= 0.05 for p in holm(raw)] == [True] * 3 + [False] * 12


@reproducible
@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=12))
def test_holm_keeps_the_order_and_never_lowers_a_value(raw: list[float]) -> None:
    adjusted = holm(raw)
    pairs = [(p, a) for p, a in zip(raw, adjusted, strict=True) if not math.isnan(p)]
    assert sum(map(math.isnan, adjusted)) == len(raw) - len(pairs)
    assert all(p <= a <= min(1, p * len(pairs)) + 1e-12 for p, a in pairs)
    in_order = [a for _, a in sorted(pairs)]
    assert in_order == sorted(in_order)
    assert holm([p for p, _ in pairs]) == [a for _, a in pairs]


def test_holm_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match="out of range"):
        holm([0.5, 1.5])


# What the test could not have seen


@pytest.mark.parametrize("pairs", [6, 10, 20])
def test_the_detectable_difference_is_found_with_its_power(pairs: int) -> None:
    generator = np.random.default_rng(pairs)
    # Any values of standard deviation 1 have the same.
    shape = np.arange(pairs, dtype=float)
    size = detectable_difference(shape / shape.std(ddof=1))
    found = [
        permutation_test(generator.normal(size, 1, size=pairs), resamples=999, seed=repeat) <= 0.05
        for repeat in range(800)
    ]
    # The size is itself from 2,000 simulations.
    tolerance = math.hypot(_three_errors(0.8, 800), _three_errors(0.8, 2000))
    assert np.mean(found) == pytest.approx(0.8, abs=tolerance)


@pytest.mark.parametrize("pairs", [10, 16, 30])
def test_with_normal_noise_the_detectable_difference_is_about_that_of_a_t_test(pairs: int) -> None:
    shape = np.arange(pairs, dtype=float)
    size = detectable_difference(shape / shape.std(ddof=1))
    limit = stats.t.ppf(0.975, pairs - 1)
    power = stats.nct.sf(limit, pairs - 1, size * math.sqrt(pairs))
    assert power == pytest.approx(0.8, abs=0.03)


def test_few_pairs_can_not_detect_anything() -> None:
    assert detectable_difference([1.0, 2.0, 3.0, 4.0, 5.0]) == INF
    assert detectable_difference([1.0]) == INF
    assert detectable_difference([1.0, 2.0, 3.0, 4.0, 5.0], alpha=0.1) < INF


@reproducible
@given(st.lists(st.integers(-50, 50), min_size=6, max_size=12), st.integers(-9, 9))
def test_the_detectable_difference_follows_the_spread_alone(
    differences: list[int], shift: int
) -> None:
    size = detectable_difference(differences)
    assert detectable_difference([2 * value + shift for value in differences]) == pytest.approx(
        2 * size
    )


def test_more_pairs_and_less_power_detect_less() -> None:
    spread = [-1.0, 1.0]
    sizes = [detectable_difference(spread * half) for half in (3, 5, 10, 20)]
    assert sizes == sorted(sizes, reverse=True)
    assert detectable_difference(spread * 5, power=0.5) < detectable_difference(spread * 5)


@pytest.mark.parametrize("pairs", [8, 11, 12, 16, 30])
def test_a_stricter_test_detects_less(pairs: int) -> None:
    """As after a correction for many comparisons."""
    alphas = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
    sizes = [detectable_difference(range(pairs), alpha=alpha) for alpha in alphas]
    possible = sum(smallest_p(pairs) <= alpha for alpha in alphas)
    assert sizes == sorted(sizes)
    assert len(set(sizes[:possible])) == possible
    assert sizes[possible:] == [INF] * (len(sizes) - possible)
    assert sizes[0] > 0


@pytest.mark.parametrize(("alpha", "power"), [(0, 0.8), (0.05, 1), (0.9, 0.8)])
def test_an_impossible_power_is_refused(alpha: float, power: float) -> None:
    with pytest.raises(ValueError, match="alpha="):
        detectable_difference([1.0] * 10, alpha=alpha, power=power)

"""Paired tests and what they cannot see: against publications, brute force and simulation.

Where coverage is counted, the tolerance is three standard errors of that count.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ntmbench.statistics.paired import (
    EXACT_PAIRS,
    detectable_difference,
    holm,
    permutation_test,
    smallest_p,
)
from tests.sampling import VALUES, Sampler, normal, reproducible, skewed, three_errors

INF = math.inf

# Eighths of an inch by which Darwin's crossed maize outgrew its selfed pair (Fisher 1935).
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_fishers_test_of_darwins_maize_has_fishers_value() -> None:
    # The Design of Experiments, section 21: 863 of 32,768 arrangements reach 314 on one side.
    assert sum(MAIZE) == 314
    assert permutation_test(MAIZE) == 2 * 863 / 32768


@reproducible
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=8))
def test_the_exact_test_counts_all_ways_to_set_the_signs(differences: list[int]) -> None:
    sums = [
        sum(sign * value for sign, value in zip(signs, differences, strict=True))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    as_far = [abs(reached) >= abs(sum(differences)) for reached in sums]
    assert permutation_test(differences) == pytest.approx(np.mean(as_far))


def test_rounding_makes_no_tie_a_difference() -> None:
    """Thirds and tenths add up to other doubles in another order."""
    assert permutation_test([0.1, 0.2, -0.3, 1 / 3, -1 / 3, 0.7]) == permutation_test(
        [3, 6, -9, 10, -10, 21]
    )


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
    assert resampled == pytest.approx(exact, abs=three_errors(exact, 100_000))
    assert permutation_test(differences) == resampled
    assert permutation_test(differences, seed=1) != resampled


def test_a_resampled_value_is_never_zero() -> None:
    assert permutation_test([1.0] * 40, resamples=999) == 2 / 1000


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


@pytest.mark.parametrize("sampler", [normal, skewed])
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
    assert rejected == pytest.approx(expected, abs=three_errors(expected, 1000))


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


# What the test could not have found


@pytest.mark.slow
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
    tolerance = math.hypot(three_errors(0.8, 800), three_errors(0.8, 2000))
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

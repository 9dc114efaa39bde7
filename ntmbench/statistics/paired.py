"""Comparing two models seed by seed: a paired test, its correction, and what it cannot find."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

import numpy as np
from scipy import special, stats

from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.statistics.intervals import FloatArray, quantile

# All ways to flip the signs are tried if there are at most 2**16.
EXACT_PAIRS = 16
# Limits of _detectable: ways to flip the signs in a simulation, and numbers at a time.
FLIPS = 2**10
CHUNK = 2**22


def permutation_test(
    differences: Iterable[float], *, resamples: int = 100_000, seed: int = 0
) -> float:
    """The two-sided p-value of a paired comparison (Fisher 1935, section 21; Pitman 1937).

    ``differences`` has one model's score less the other's, for each seed. If the models were alike,
    each difference would have either sign with the same probability. The p-value is the share of
    all ways to set the signs that give a mean at least as far from zero. Up to EXACT_PAIRS pairs
    all ways are tried. For more, ``resamples`` are drawn; the data count as one more of them
    (Phipson and Smyth 2010), and the share on the data's own side is doubled.

    The p-value is 1 if all differences are zero or there are none. ``smallest_p`` is the least that
    so few pairs can give.

    Raises:
        ValueError: if a difference is not finite: infinite ones have no mean.
    """
    values = _finite(differences)
    size = np.abs(values).sum()
    if len(values) < 2 or size == 0:
        return 1.0

    def scaled_sum(differences: FloatArray, axis: int) -> FloatArray:
        # Sums of the same numbers in different orders must be ties, however they were rounded.
        return np.asarray(np.round(differences.sum(axis=axis) / size, 12))

    found = stats.permutation_test(
        (values,),
        scaled_sum,
        permutation_type="samples",
        n_resamples=np.inf if len(values) <= EXACT_PAIRS else resamples,
        batch=max(1, CHUNK // len(values)),
        vectorized=True,
        random_state=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def smallest_p(pairs: int) -> float:
    """The least p-value that ``permutation_test`` can give for so many pairs.

    At best only two ways to set the signs are as far from zero as the data: theirs, and the
    reverse. That gives 0.0625 for 5 pairs and 0.002 for 10. Beyond EXACT_PAIRS the number of
    resamples is a bound as well.
    """
    return min(1.0, math.ldexp(2.0, -pairs))


def holm(p_values: Iterable[float]) -> list[float]:
    """P-values adjusted for their number, in the given order (Holm 1979).

    If those of at most alpha are rejected, the probability of any false rejection is at most alpha,
    however the tests depend on each other. NaN stands for a comparison that could not be made; it
    stays NaN and is not counted.

    Raises:
        ValueError: if a p-value is not from 0 to 1.
    """
    raw = np.array(list(p_values), dtype=float)
    if (raw < 0).any() or (raw > 1).any():
        raise ValueError("A p-value is out of range. Allowed: from 0 to 1, or NaN.")
    count = int((~np.isnan(raw)).sum())
    order = np.argsort(raw)[:count]  # NaN last
    steps = np.minimum(1, raw[order] * np.arange(count, 0, -1))
    adjusted = np.full(len(raw), math.nan)
    adjusted[order] = np.maximum.accumulate(steps)
    return [float(value) for value in adjusted]


def detectable_difference(
    differences: Iterable[float],
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    simulations: int = 2000,
    seed: int = 0,
) -> float:
    """The least true mean difference that ``permutation_test`` would find with that ``power``.

    It holds for the number and the standard deviation of ``differences``, with normal noise. A
    smaller difference may well exist although the test has not found it. The deviation of few pairs
    is itself uncertain (by a quarter for 10 pairs), so this is a rough size and not a sharp limit.
    It is infinite if no result of so many pairs can be below ``alpha``; see ``smallest_p``.

    Raises:
        ValueError: if a difference is not finite, or not ``0 < alpha < power < 1``.
    """
    if not 0 < alpha < power < 1:
        raise ValueError(f"alpha={alpha} and power={power} are not 0 < alpha < power < 1.")
    values = _finite(differences)
    if smallest_p(len(values)) > alpha:
        return math.inf
    return float(np.std(values, ddof=1)) * _detectable(len(values), alpha, power, simulations, seed)


@cache
def _detectable(pairs: int, alpha: float, power: float, simulations: int, seed: int) -> float:
    """The detectable difference in standard deviations.

    Flipping the signs of a subset leaves a sum at least as large exactly if the subset's mean is
    zero or less. So the test rejects once the true difference is above minus the k-th smallest of
    the subset means of the noise, k being how many ways of flipping, none included, may reach the
    data at ``alpha`` / 2. Each simulation gives one such limit; ``power`` of them must be passed.
    """
    words = RandomWords(Stream.STATISTICS, seed, pairs)
    # If not all ways are tried, so many are drawn that k is at least 20.
    drawn = max(FLIPS, math.ceil(40 / alpha))
    if 2**pairs <= drawn:
        flips = np.arange(1, 2**pairs)[:, None] >> np.arange(pairs) & 1
    else:
        flips = words.bits(drawn - 1, pairs).astype(np.int64)
        flips = flips[flips.any(axis=1)]
    reached = math.floor(alpha / 2 * (len(flips) + 1) + 1e-9)
    if reached < 1:
        raise ValueError(f"No result of {pairs} pairs is below alpha={alpha}.")
    noise = special.ndtri(words.uniform(simulations, pairs))  # standard normal
    weights = (flips / flips.sum(axis=1, keepdims=True)).T  # [pairs, flips]
    limits: list[float] = []
    for part in np.array_split(noise, math.ceil(noise.shape[0] * len(flips) / CHUNK)):
        means = part @ weights  # [simulations of the part, flips]
        limits += (-np.partition(means, reached - 1, axis=1)[:, reached - 1]).tolist()
    return quantile(limits, power)


def _finite(differences: Iterable[float]) -> FloatArray:
    values = np.array(list(differences), dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("A difference is not finite, so there is no mean to test.")
    return values

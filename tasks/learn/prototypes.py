"""Prototypes of classes, and how often a class has been seen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers, distinct, places
from ntmbench.data.randomness import RandomWords

Bits = NDArray[np.uint8]


def prototypes(words: RandomWords, classes: int, bits: int, batch_size: int) -> Bits:
    """Patterns ``[classes, B, bits]`` of which any two differ in half of their bits.

    They are rows of Sylvester's Hadamard matrix, drawn without repetition, all of them plus one
    uniform pattern, modulo 2. Thus each is uniform by itself.
    """
    rows = distinct(words, classes, bits, batch_size)
    drawn: Bits = _hadamard(bits)[rows] ^ words.bits(batch_size, bits)
    return drawn


def flipped(words: RandomWords, patterns: Bits, count: int) -> Bits:
    """The patterns ``[T, B, bits]`` with ``count`` bits of each flipped, drawn uniformly."""
    *shape, bits = patterns.shape
    number = math.prod(shape)
    flips = np.zeros((bits, number), np.uint8)
    np.put_along_axis(flips, places(words, count, bits, number), 1, axis=0)
    noisy: Bits = patterns ^ flips.T.reshape(patterns.shape)
    return noisy


def sights(chosen: Integers) -> Integers:
    """The how-manieth sight of its class each step ``[T, B]`` is."""
    same = chosen[:, np.newaxis] == chosen  # [T, T, B]
    counted: Integers = (same & np.tri(len(chosen), dtype=bool)[:, :, np.newaxis]).sum(axis=1)
    return counted


def seen_so_often(sight: int, steps: int, classes: int) -> float:
    """The mean number of classes that are seen at least ``sight`` times, by the binomial law."""
    seldom = sum(_binomial(steps, seen, 1 / classes) for seen in range(sight))
    return classes * (1 - seldom)


def _binomial(count: int, successes: int, p: float) -> float:
    """The probability of so many successes; its binomial coefficient may exceed every float."""
    ways = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
    return math.exp(ways + successes * math.log(p) + (count - successes) * math.log1p(-p))


def _hadamard(order: int) -> Bits:
    """Sylvester's Hadamard matrix, with 1 for -1 and 0 for 1: the parity of i & j at ``[i, j]``."""
    matrix = np.zeros((1, 1), np.uint8)
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, 1 - matrix]])
    return matrix

"""Choices without repetition, drawn from a stream for each sequence of a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.randomness import RandomWords

Integers = NDArray[np.int64]


def distinct(words: RandomWords, count: int, kinds: int, batch_size: int) -> Integers:
    """``count`` different numbers below ``kinds`` for each sequence, ``[count, B]``, in any order.

    Every selection in every order is equally likely. With ``count = kinds`` it is a permutation.
    """
    order: Integers = words.uniform(kinds, batch_size).argsort(axis=0, kind="stable")
    return order[:count]


def places(words: RandomWords, count: int, steps: int, batch_size: int) -> Integers:
    """``count`` different steps of ``steps`` for each sequence, ``[count, B]``, in rising order."""
    return np.sort(distinct(words, count, steps, batch_size), axis=0)

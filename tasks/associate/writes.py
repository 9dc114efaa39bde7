"""Writes to keys, the same ones again and again: the newest of each, and other writes.

Keys are ``[W, B]``, one for each write.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers


def newest(keys: Integers, queries: Integers) -> Integers:
    """The last write ``[Q, B]`` to each of the ``queries [Q, B]``, of which all are written."""
    same = queries[:, np.newaxis] == keys[::-1]
    found: Integers = len(keys) - 1 - same.argmax(axis=1)
    return found


def all_written(keys: Integers, count: int) -> NDArray[np.bool_]:
    """Whether every key below ``count`` is among ``keys [..., W, B]``: ``[..., B]``."""
    each = keys[..., np.newaxis, :] == np.arange(count)[:, np.newaxis]  # [..., W, count, B]
    written: NDArray[np.bool_] = each.any(axis=-3).all(axis=-2)
    return written


def other_keys(keys: Integers, count: int) -> Iterator[Integers]:
    """The keys with one of them another one below ``count``, and with two exchanged."""
    for write, shift in product(range(len(keys)), range(1, count)):
        other = keys.copy()
        other[write] = (keys[write] + shift) % count
        yield other
    for pair in combinations(range(len(keys)), 2):
        exchange = np.arange(len(keys))
        exchange[[*pair]] = exchange[[*reversed(pair)]]
        yield keys[exchange]

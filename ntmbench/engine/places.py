"""Sizes and places in the flat arrays of the kernels, and how they are passed to kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


def padded(count: int, lanes: int) -> int:
    """``count`` rounded up to whole vectors of ``lanes`` numbers."""
    return -(-count // lanes) * lanes


def kept_interval(steps: int) -> int:
    """Steps from one memory that is kept to the next, ceil(sqrt(T)).

    About as many are kept as are computed again between two of them.
    """
    return math.isqrt(steps - 1) + 1


class Room:
    """Hands out consecutive stretches of a flat array; ``size`` is what has been handed out."""

    def __init__(self) -> None:
        """Nothing has been handed out yet."""
        self.size = 0

    def take(self, count: int) -> int:
        """Where the next ``count`` numbers begin."""
        start = self.size
        self.size += count
        return start


def as_record(numbers: NamedTuple) -> Any:
    """Whole numbers by name as one record, which Numba takes by its address."""
    return as_table([numbers])[0]


def as_table(rows: Sequence[NamedTuple]) -> Any:
    """Rows of the same whole numbers by name as an array of records."""
    kind = np.dtype([(name, np.int64) for name in rows[0]._fields])
    return np.array([tuple(row) for row in rows], dtype=kind)

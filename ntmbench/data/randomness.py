"""Random data as a pure function of a few integers.

Philox is counter-based: its key alone fixes a stream, whatever was drawn before and in whichever
process. This module uses only the generator's raw 64-bit words and turns them into bits, integers
and uniforms itself. NumPy keeps the words the same across its releases, but not what its
``Generator`` methods make of them (NEP 19).
"""

from __future__ import annotations

import enum
import hashlib

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.elementary import log


class Stream(enum.IntEnum):
    """The purpose of a stream. Streams of different purposes share no key, hence no sequence."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2
    INITIALISATION = 3
    STATISTICS = 4


def stable_id(text: str) -> int:
    """A 64-bit number that stands for ``text`` in a key; Python's own hash differs per process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


class RandomWords:
    """A stream of random 64-bit words, and the few distributions that the tasks need."""

    def __init__(self, stream: Stream, *key: int) -> None:
        """``key`` is any number of integers from 0 to 2**64 - 1; equal keys give equal streams.

        Raises:
            ValueError: for an integer outside that range.
        """
        if any(not 0 <= number < 2**64 for number in key):
            raise ValueError(f"Key {key} has a number outside 0 to 2**64 - 1.")
        # Two words for each number, and their count: to SeedSequence by itself (1,) and (1, 0), or
        # (2**32,) and (0, 1), are the same key.
        halves = [half for number in key for half in (number & 0xFFFFFFFF, number >> 32)]
        self._philox = np.random.Philox(np.random.SeedSequence([int(stream), len(key), *halves]))

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return the next ``count`` words."""
        return np.asarray(self._philox.random_raw(count), dtype=np.uint64)

    def bits(self, *shape: int) -> NDArray[np.uint8]:
        """Fair coins, zero or one, of the given shape."""
        count = int(np.prod(shape, dtype=np.int64))
        # Little-endian bytes, so that the bits are the same on every machine.
        packed = self.words(-(-count // 64)).astype("<u8", copy=False).view(np.uint8)
        return np.unpackbits(packed, count=count, bitorder="little").reshape(shape)

    def integers(self, low: int, high: int, *shape: int) -> NDArray[np.int64]:
        """Integers uniform over ``low`` to ``high``, both included, at most 2**32 values.

        The upper 32 bits of a word times the width, shifted: the bias is below 2**-32 x width.
        """
        count = int(np.prod(shape, dtype=np.int64))
        upper = self.words(count) >> np.uint64(32)
        scaled = (upper * np.uint64(high - low + 1)) >> np.uint64(32)
        return scaled.astype(np.int64).reshape(shape) + low

    def integer(self, low: int, high: int) -> int:
        """One integer uniform over ``low`` to ``high``, both included."""
        # The same in Python's own numbers, which is much quicker for a single one.
        return low + ((int(self._philox.random_raw()) >> 32) * (high - low + 1) >> 32)

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        """Doubles uniform over the open interval (0, 1): midpoints of 2**52 equal cells."""
        count = int(np.prod(shape, dtype=np.int64))
        cells = (self.words(count) >> np.uint64(12)).astype(np.float64)
        return ((cells + 0.5) * 2.0**-52).reshape(shape)

    def normal(self, *shape: int) -> NDArray[np.float64]:
        """Normal numbers of mean 0 and variance 1, by Marsaglia's polar method (1964)."""
        count = int(np.prod(shape, dtype=np.int64))
        found = [np.empty(0)]
        while (left := count - sum(map(len, found))) > 0:
            points = 2 * self.uniform(2, left) - 1
            squares = points[0] * points[0] + points[1] * points[1]
            points, squares = points[:, squares < 1], squares[squares < 1]
            found += [*(points * np.sqrt(-2 * log(squares) / squares))]
        return np.concatenate(found)[:count].reshape(shape)

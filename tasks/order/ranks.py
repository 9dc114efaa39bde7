"""The binomial distribution: how many of some uniform numbers lie below a bound."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def at_most(count: int, times: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """The probability that at most so many ``times [N]`` of ``count`` trials succeed.

    Each succeeds with probability ``share``. Fewer than 0 are never enough.
    """
    each = [
        math.comb(count, hits) * share**hits * (1 - share) ** (count - hits)
        for hits in range(count + 1)
    ]
    total = np.concatenate([[0.0], np.cumsum(each)])
    found: NDArray[np.float64] = total[np.clip(times + 1, 0, count + 1)]
    return found

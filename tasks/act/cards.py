"""Cards of which two have the same face."""

from __future__ import annotations

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.symbols import SILENT


def mates(face: Integers) -> Integers:
    """The earlier step ``[T, B]`` of the same ``face [T, B]``, SILENT where there is none."""
    steps = len(face)
    earlier = np.tri(steps, k=-1, dtype=bool)[:, :, np.newaxis]  # [T, T, 1]
    same = (face[:, np.newaxis] == face) & earlier
    return np.where(same.any(axis=1), same.argmax(axis=1), SILENT)

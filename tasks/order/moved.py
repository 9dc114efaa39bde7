"""What one number changes in the order of all: the answers that move when it alone changes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.layout import sources_at
from ntmbench.task import FloatArray


def all_shown(inputs: FloatArray, count: int, answers: int) -> NDArray[np.bool_]:
    """Sources ``[T, B, T]`` of the last ``answers`` steps: the first ``count`` steps, each time."""
    return sources_at(inputs, np.broadcast_to(np.arange(count), (answers, inputs.shape[1], count)))


def share_moved(count: int, values: float) -> float:
    """The share of the sorted numbers that one of ``count`` uniform numbers changes, in the mean.

    Raised to the largest value, it changes the last of each run of equal numbers, from its own run
    on; lowered to the smallest, the first of each run up to its own. The runs of these two values
    change only if the number is one of them. In the mean that is one answer, and one more for each
    of ``values`` - 2 values that another number has.
    """
    others = -math.expm1((count - 1) * math.log1p(-1 / values))  # that a value is another number's
    return (1 + (values - 2) * others) / count


def extremes(inputs: FloatArray, count: int, bits: int) -> FloatArray:
    """Edits ``[2 count, T, B, in]``: each of the first ``count`` numbers all 0 or all 1."""
    edits = np.repeat(inputs[np.newaxis], 2 * count, axis=0)
    for step in range(count):
        edits[2 * step, step, :, :bits] = 0
        edits[2 * step + 1, step, :, :bits] = 1
    return edits

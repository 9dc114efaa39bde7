"""Pairs of a left half and a right one, and queries by either: how inputs are written and read.

Shapes: the halves ``[2, K, B, bits]``, the left ones first; the places ``[K, B]``, which pair each
query asks for; and ``by_right [K, B]``, whether it gives the right half and asks for the left one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.layout import answer_at_end
from ntmbench.task import FloatArray


def inputs_of(halves: Integers, places: Integers, by_right: NDArray[np.bool_]) -> FloatArray:
    """The inputs ``[2K, B, 2 bits + 2]``: both halves, and the signs "left" and "right"."""
    given = np.stack([~by_right, by_right])[..., np.newaxis]  # [2, K, B, 1]
    asked = np.take_along_axis(halves, places[np.newaxis, ..., np.newaxis], axis=1)
    queries = np.concatenate([*(asked * given), *given], axis=2)
    inputs = np.zeros((2 * len(queries), *queries.shape[1:]), np.float32)
    inputs[: len(queries), :, :-2] = np.concatenate([*halves], axis=2)
    inputs[len(queries) :] = queries
    return inputs


def answers_of(halves: Integers, places: Integers, by_right: NDArray[np.bool_]) -> FloatArray:
    """The halves that are not given, ``[2K, B, bits]``, at the steps of the queries."""
    left, right = np.take_along_axis(halves, places[np.newaxis, ..., np.newaxis], axis=1)
    return answer_at_end(np.where(by_right[..., np.newaxis], left, right), 2 * len(places))


def read(inputs: FloatArray) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """The halves, the places and the directions."""
    length, bits = len(inputs) // 2, (inputs.shape[2] - 2) // 2
    halves: Integers = np.stack([inputs[..., :bits], inputs[..., bits:-2]]).astype(np.int64)
    pairs, queries = halves[:, :length], halves[:, length:]
    by_right = inputs[length:, :, -1] == 1
    same = (queries[:, :, np.newaxis] == pairs[:, np.newaxis]).all(axis=4)  # [2, K, K, B]
    places = np.where(by_right[:, np.newaxis], same[1], same[0]).argmax(axis=1)
    return pairs, places, by_right

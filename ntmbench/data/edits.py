"""Edits: inputs with few steps changed, by which a task's sources are tested.

Shapes: inputs ``[T, B, in]``, and E edits of them ``[E, T, B, in]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def replaced_steps(inputs: FloatArray) -> FloatArray:
    """Each step by itself, replaced by the same step of each other sequence of the batch."""
    steps, batch_size, _ = inputs.shape
    edits = np.repeat(inputs[np.newaxis], steps * (batch_size - 1), axis=0)
    by_step = edits.reshape(steps, batch_size - 1, *inputs.shape)
    for step in range(steps):
        for shift in range(1, batch_size):
            by_step[step, shift - 1, step] = np.roll(inputs[step], shift, axis=0)
    return edits


def other_symbols(inputs: FloatArray, channels: slice) -> FloatArray:
    """Each symbol of these ``channels`` by itself, replaced by each other one of them."""
    steps = len(inputs)
    kinds = inputs[:, :, channels].shape[2]
    edits = np.repeat(inputs[np.newaxis], steps * (kinds - 1), axis=0)
    by_step = edits.reshape(steps, kinds - 1, *inputs.shape)
    for step in range(steps):
        for shift in range(1, kinds):
            symbols = by_step[step, shift - 1, step, :, channels]
            symbols[:] = np.roll(symbols, shift, axis=1)
    return edits


def exchanged_steps(inputs: FloatArray, steps: Iterable[int]) -> FloatArray:
    """Each two of these ``steps`` exchanged."""
    first, second = np.array(list(combinations(steps, 2)), int).reshape(-1, 2).T
    edits = np.repeat(inputs[np.newaxis], len(first), axis=0)
    each = np.arange(len(first))
    edits[each, first] = inputs[second]
    edits[each, second] = inputs[first]
    return edits


def where_possible(
    inputs: FloatArray, edits: FloatArray, possible: NDArray[np.bool_]
) -> FloatArray:
    """The edits that are ``possible [E, B]``, since the task could draw them; others undone."""
    return np.where(possible[:, np.newaxis, :, np.newaxis], edits, inputs)

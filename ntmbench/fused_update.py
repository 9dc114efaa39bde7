"""Passes over all weights for an optimizer step, compiled by Numba on first use.

PyTorch's optimizers run some ten operations per step. On the small models of this suite each costs
more to start than to do; here each pass is one loop over vectors ``[P]`` of all weights.
The formulas are those of ``torch.optim.RMSprop(centered=True)`` and ``torch.optim.Adam``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from ntmbench.compilation import keep_on_disk

Vector = NDArray[np.float32]

Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    # Reassociation lets the sums vectorise. Not-a-number and infinity keep their meaning: training
    # watches for them.
    dispatcher = numba.njit(
        fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy", nogil=True
    )(function)
    keep_on_disk(dispatcher)
    result: Function = dispatcher
    return result


@_compiled
def squared_norm(gradient: Vector) -> np.float32:
    """Sum of squares of a vector ``[P]``."""
    total = np.float32(0)
    for i in range(gradient.size):
        total += gradient[i] * gradient[i]
    return total


@_compiled
def update_rmsprop(
    weights: Vector,
    gradient: Vector,
    square: Vector,
    mean: Vector,
    velocity: Vector,
    scale: np.float32,
    rate: np.float32,
    smoothing: np.float32,
    momentum: np.float32,
    epsilon: np.float32,
) -> None:
    """Centered RMSProp with momentum, in place; the gradient is first multiplied by ``scale``."""
    new = np.float32(1) - smoothing
    for i in range(weights.size):
        g = gradient[i] * scale
        square[i] = smoothing * square[i] + new * g * g
        mean[i] = smoothing * mean[i] + new * g
        # Rounding can leave a variance of nothing just below zero.
        variance = max(square[i] - mean[i] * mean[i], np.float32(0))
        velocity[i] = momentum * velocity[i] + g / (np.sqrt(variance) + epsilon)
        weights[i] -= rate * velocity[i]


@_compiled
def update_adam(
    weights: Vector,
    gradient: Vector,
    square: Vector,
    mean: Vector,
    scale: np.float32,
    rate: np.float32,
    smoothing: np.float32,
    momentum: np.float32,
    epsilon: np.float32,
    square_correction: np.float32,
    mean_correction: np.float32,
) -> None:
    """Adam, in place; a correction is one minus the decay to the power of the step's number."""
    for i in range(weights.size):
        g = gradient[i] * scale
        square[i] = smoothing * square[i] + (np.float32(1) - smoothing) * g * g
        mean[i] = momentum * mean[i] + (np.float32(1) - momentum) * g
        root = np.sqrt(square[i] / square_correction) + epsilon
        weights[i] -= rate * (mean[i] / mean_correction) / root


@_compiled
def update_average(average: Vector, weights: Vector, share: np.float32) -> None:
    """Move ``average`` toward ``weights`` by ``share`` of their distance, in place."""
    for i in range(weights.size):
        average[i] += share * (weights[i] - average[i])

"""A whole optimizer step as one compiled call, compiled by Numba on first use.

PyTorch's optimizers run some ten operations per step and weight. On the small models of this suite
it takes longer to start each than to do it. Here a step is two loops, one over the gradients for
their norm and one over everything for the update. The formulas are those of
``torch.optim.RMSprop(centered=True)`` and ``torch.optim.Adam``.

Weights, their average and the moments are vectors ``[P]`` of all weights together. The
gradients are given by their addresses and sizes, one for each weight, so that nothing is copied; an
address of 0 stands for a gradient of zero.

Every digit is the same on all processors: the norm is summed in one order, and LLVM may change no
operation of the update, each number of which it computes by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .addresses import at_address
from .jit import compiled, kernel
from .load_store import load_part
from .simd import add_product, lanes, maximum, minimum, splat, total

Vector = NDArray[np.float32]
Integers = NDArray[np.int64]

_entry = kernel("the optimizer", 2)


@compiled
def _gradient(address: int, weights: Vector, scale: np.float32) -> tuple[Vector, np.float32]:
    """A weight's gradient and the factor of its numbers; without a gradient the factor is zero."""
    if address == 0:
        return weights, np.float32(0)
    return at_address(weights, address, weights.size), scale


@compiled
def _squares(gradient: Vector, value_limit: np.float32) -> Any:
    low, high = splat(gradient, -value_limit), splat(gradient, value_limit)
    sums = splat(gradient, np.float32(0))
    for i in range(0, gradient.size, lanes(gradient)):
        g = minimum(maximum(load_part(gradient, i, gradient.size - i), low), high)
        sums = add_product(sums, g, g)
    return total(sums)


@compiled
def _any_infinite(gradient: Vector) -> bool:
    found = False
    for i in range(gradient.size):
        found |= abs(gradient[i]) == np.inf
    return found


@compiled
def _clipping(
    gradients: Integers, sizes: Integers, like: Vector, value_limit: np.float32, limit: np.float32
) -> tuple[np.float32, np.float32]:
    """The gradient's norm after clipping by value, and the factor that brings it to ``limit``.

    An infinite number makes the norm infinite, though clipping by value would hide it.
    """
    squares = np.float32(0)
    for k in range(sizes.size):
        if gradients[k] != 0:
            squares += _squares(at_address(like, gradients[k], sizes[k]), value_limit)
    norm = np.sqrt(squares)
    if value_limit < np.inf:
        for k in range(sizes.size):
            if gradients[k] != 0 and _any_infinite(at_address(like, gradients[k], sizes[k])):
                norm = np.float32(np.inf)
    return norm, min(np.float32(1), limit / (norm + np.float32(1e-6)))


@_entry
def step_rmsprop(
    weights: Vector,
    gradients: Integers,
    sizes: Integers,
    square: Vector,
    mean: Vector,
    velocity: Vector,
    value_limit: np.float32,
    norm_limit: np.float32,
    rate: np.float32,
    smoothing: np.float32,
    momentum: np.float32,
    epsilon: np.float32,
) -> bool:
    """Centered RMSProp with momentum, in place.

    Returns False, and changes nothing, if the norm is not finite.
    """
    norm, scale = _clipping(gradients, sizes, weights, value_limit, norm_limit)
    if not np.isfinite(norm):
        return False
    start = 0
    for k in range(sizes.size):
        end = start + sizes[k]
        part = weights[start:end]
        gradient, factor = _gradient(gradients[k], part, scale)
        _rmsprop(
            part, gradient, square[start:end], mean[start:end], velocity[start:end],
            value_limit, factor, rate, smoothing, momentum, epsilon,
        )  # fmt: skip
        start = end
    return True


@compiled
def _rmsprop(
    weights: Vector,
    gradient: Vector,
    square: Vector,
    mean: Vector,
    velocity: Vector,
    value_limit: np.float32,
    factor: np.float32,
    rate: np.float32,
    smoothing: np.float32,
    momentum: np.float32,
    epsilon: np.float32,
) -> None:
    new = np.float32(1) - smoothing
    for i in range(weights.size):
        g = min(max(gradient[i], -value_limit), value_limit) * factor
        square[i] = smoothing * square[i] + new * g * g
        mean[i] = smoothing * mean[i] + new * g
        # Rounding can leave a variance of zero just below zero.
        variance = max(square[i] - mean[i] * mean[i], np.float32(0))
        velocity[i] = momentum * velocity[i] + g / (np.sqrt(variance) + epsilon)
        weights[i] -= rate * velocity[i]


@_entry
def step_adam(
    weights: Vector,
    gradients: Integers,
    sizes: Integers,
    square: Vector,
    mean: Vector,
    value_limit: np.float32,
    norm_limit: np.float32,
    rate: np.float32,
    smoothing: np.float32,
    momentum: np.float32,
    epsilon: np.float32,
    square_correction: np.float32,
    mean_correction: np.float32,
) -> bool:
    """Adam, in place.

    A correction is one minus the decay to the power of the step's number. Returns False, and
    changes nothing, if the norm is not finite.
    """
    norm, scale = _clipping(gradients, sizes, weights, value_limit, norm_limit)
    if not np.isfinite(norm):
        return False
    start = 0
    for k in range(sizes.size):
        end = start + sizes[k]
        part = weights[start:end]
        gradient, factor = _gradient(gradients[k], part, scale)
        _adam(
            part, gradient, square[start:end], mean[start:end], value_limit, factor, rate,
            smoothing, momentum, epsilon, square_correction, mean_correction,
        )  # fmt: skip
        start = end
    return True


@compiled
def _adam(
    weights: Vector,
    gradient: Vector,
    square: Vector,
    mean: Vector,
    value_limit: np.float32,
    factor: np.float32,
    rate: np.float32,
    smoothing: np.float32,
    momentum: np.float32,
    epsilon: np.float32,
    square_correction: np.float32,
    mean_correction: np.float32,
) -> None:
    for i in range(weights.size):
        g = min(max(gradient[i], -value_limit), value_limit) * factor
        square[i] = smoothing * square[i] + (np.float32(1) - smoothing) * g * g
        mean[i] = momentum * mean[i] + (np.float32(1) - momentum) * g
        root = np.sqrt(square[i] / square_correction) + epsilon
        weights[i] -= rate * (mean[i] / mean_correction) / root


@_entry
def update_average(average: Vector, weights: Vector, share: np.float32) -> None:
    """Move ``average`` toward ``weights`` by ``share`` of their distance, in place."""
    for i in range(weights.size):
        average[i] += share * (weights[i] - average[i])

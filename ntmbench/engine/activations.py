"""Sigmoid and rectifier, forward and backward."""

from __future__ import annotations

from typing import Any

from .jit import compiled
from .load_store import load_part, store_part
from .simd import lanes, maximum, splat, where_below
from .vectormath import sigmoid


@compiled
def sigmoid_forward(kept: Any, at: int, count: int) -> None:
    """Apply the sigmoid to ``count`` numbers in place."""
    for i in range(0, count, lanes(kept)):
        store_part(kept, at + i, sigmoid(load_part(kept, at + i, count - i)), count - i)


@compiled
def sigmoid_backward(
    values: Any, at: int, room: Any, slopes: int, kept: Any, to: int, count: int
) -> None:
    """Write the gradients of arguments, from the values of sigmoids and their ``slopes``."""
    one = splat(kept, 1.0)
    for i in range(0, count, lanes(kept)):
        value = load_part(values, at + i, count - i)
        slope = load_part(room, slopes + i, count - i)
        store_part(kept, to + i, slope * value * (one - value), count - i)


@compiled
def relu_forward(values: Any, at: int, kept: Any, to: int, count: int) -> None:
    """Write ``count`` numbers, those below zero as zero."""
    zero = splat(kept, 0.0)
    for i in range(0, count, lanes(kept)):
        store_part(kept, to + i, maximum(load_part(values, at + i, count - i), zero), count - i)


@compiled
def relu_backward(
    values: Any, at: int, room: Any, slopes: int, kept: Any, to: int, count: int
) -> None:
    """Write the gradients of arguments, from the rectified values and their ``slopes``."""
    zero = splat(kept, 0.0)
    for i in range(0, count, lanes(kept)):
        slope = load_part(room, slopes + i, count - i)
        value = where_below(slope, zero, load_part(values, at + i, count - i))
        store_part(kept, to + i, value, count - i)

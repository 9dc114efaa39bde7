"""The softmax of a stretch of a flat array, forward and backward."""

from __future__ import annotations

from typing import Any

from .jit import compiled
from .load_store import load_part, store_part
from .simd import add_product, lanes, splat, total
from .vectormath import exp


@compiled
def exponentials(values: Any, start: int, count: int) -> Any:
    """Replace ``count`` numbers by the exponentials of what they are below the largest of them.

    Returns the largest, and the sum of the exponentials.
    """
    top = values[start]
    for i in range(1, count):
        top = max(top, values[start + i])
    shift = splat(values, top)
    sums = splat(values, 0.0)
    for i in range(0, count, lanes(values)):
        value = exp(load_part(values, start + i, count - i) - shift)
        store_part(values, start + i, value, count - i)
        sums = sums + load_part(values, start + i, count - i)
    return top, total(sums)


@compiled
def softmax(values: Any, start: int, count: int) -> None:
    """Replace ``count`` numbers by their softmax."""
    _, exponentials_sum = exponentials(values, start, count)
    scale = splat(values, 1 / exponentials_sum)
    for i in range(0, count, lanes(values)):
        store_part(values, start + i, load_part(values, start + i, count - i) * scale, count - i)


@compiled
def softmax_backward(values: Any, start: int, scratch: Any, slopes: int, count: int) -> None:
    """Results of a softmax to the gradients of its arguments, in place.

    ``slopes`` is the place of the results' gradients in ``scratch``.
    """
    sums = splat(values, 0.0)
    for i in range(0, count, lanes(values)):
        slope = load_part(scratch, slopes + i, count - i)
        sums = add_product(sums, slope, load_part(values, start + i, count - i))
    mean = splat(values, total(sums))
    for i in range(0, count, lanes(values)):
        value = load_part(values, start + i, count - i)
        slope = load_part(scratch, slopes + i, count - i)
        store_part(values, start + i, value * (slope - mean), count - i)

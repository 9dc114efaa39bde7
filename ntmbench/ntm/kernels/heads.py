"""From the controller's head outputs to numbers in their ranges, forward and backward.

A row holds keys and adds, interpolation gates and erases, key strengths and sharpenings (less 1),
and shifts: those with the same range are neighbours.
"""

from __future__ import annotations

from typing import Any

from ntmbench.ntm.cell import SOFTPLUS_LIMIT

from .jit import compiled
from .layout import Layout
from .simd import lanes, load_part, minimum, splat, store_part, total, where_below
from .vectormath import exp, sigmoid, softplus, softplus_slope, tanh

_LIMIT = SOFTPLUS_LIMIT


@compiled
def activate(n: Layout, kept: Any, row: int) -> None:
    """Map a row of head outputs into their ranges, in place."""
    for i in range(0, n.gate, lanes(kept)):
        count = n.gate - i
        store_part(kept, row + i, tanh(load_part(kept, row + i, count)), count)
    for i in range(n.gate, n.strength, lanes(kept)):
        count = n.strength - i
        store_part(kept, row + i, sigmoid(load_part(kept, row + i, count)), count)
    for i in range(n.strength, n.shift, lanes(kept)):
        count = n.shift - i
        value = minimum(load_part(kept, row + i, count), splat(kept, _LIMIT))
        store_part(kept, row + i, softplus(value), count)
    for head in range(n.heads):
        _softmax(kept, row + n.shift + head * n.shifts, n.shifts)


@compiled
def _softmax(kept: Any, start: int, count: int) -> None:
    top = kept[start]
    for i in range(1, count):
        top = max(top, kept[start + i])
    shift = splat(kept, top)
    sums = splat(kept, 0.0)
    for i in range(0, count, lanes(kept)):
        value = exp(load_part(kept, start + i, count - i) - shift)
        store_part(kept, start + i, value, count - i)
        sums = sums + load_part(kept, start + i, count - i)
    scale = splat(kept, 1 / total(sums))
    for i in range(0, count, lanes(kept)):
        store_part(kept, start + i, load_part(kept, start + i, count - i) * scale, count - i)


@compiled
def activate_backward(n: Layout, kept: Any, row: int, scratch: Any, d_row: int) -> None:
    """Head outputs to the gradients of what the controller gave for them, in place.

    ``d_row`` is where the gradients of the head outputs stand in ``scratch``. They are zero where
    the softplus is at its limit.
    """
    one = splat(kept, 1.0)
    for i in range(0, n.gate, lanes(kept)):
        count = n.gate - i
        value, slope = (
            load_part(kept, row + i, count),
            load_part(scratch, d_row + i, count),
        )
        store_part(kept, row + i, slope * (one - value * value), count)
    for i in range(n.gate, n.strength, lanes(kept)):
        count = n.strength - i
        value, slope = (
            load_part(kept, row + i, count),
            load_part(scratch, d_row + i, count),
        )
        store_part(kept, row + i, slope * value * (one - value), count)
    for i in range(n.strength, n.shift, lanes(kept)):
        count = n.shift - i
        value, slope = (
            load_part(kept, row + i, count),
            load_part(scratch, d_row + i, count),
        )
        slope = where_below(slope * softplus_slope(value), value, splat(kept, _LIMIT))
        store_part(kept, row + i, slope, count)
    for head in range(n.heads):
        at = n.shift + head * n.shifts
        _softmax_backward(kept, row + at, scratch, d_row + at, n.shifts)


@compiled
def _softmax_backward(kept: Any, start: int, scratch: Any, slopes: int, count: int) -> None:
    """Results of a softmax to the gradients of its arguments, in place."""
    sums = splat(kept, 0.0)
    for i in range(0, count, lanes(kept)):
        slope = load_part(scratch, slopes + i, count - i)
        sums = sums + slope * load_part(kept, start + i, count - i)
    mean = splat(kept, total(sums))
    for i in range(0, count, lanes(kept)):
        value = load_part(kept, start + i, count - i)
        slope = load_part(scratch, slopes + i, count - i)
        store_part(kept, start + i, value * (slope - mean), count - i)

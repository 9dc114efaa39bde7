"""From the controller's head outputs to numbers in their ranges, forward and backward.

A row holds keys and adds, interpolation gates and erases, key strengths and sharpenings (less 1),
and shifts. Numbers with the same range are neighbours.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load_part, store_part
from ntmbench.engine.simd import lanes, minimum, splat, subtract_product, where_below
from ntmbench.engine.softmax import softmax, softmax_backward
from ntmbench.engine.vectormath import sigmoid, softplus, softplus_slope, tanh
from ntmbench.ntm.limits import SOFTPLUS_LIMIT

from .layout import Layout

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
        softmax(kept, row + n.shift + head * n.shifts, n.shifts)


@compiled
def activate_backward(n: Layout, kept: Any, row: int, scratch: Any, d_row: int) -> None:
    """Turn head outputs into the gradients of the controller's numbers, in place.

    ``d_row`` is the place of the head outputs' gradients in ``scratch``. The result is zero where
    the softplus is at its limit.
    """
    one = splat(kept, 1.0)
    for i in range(0, n.gate, lanes(kept)):
        count = n.gate - i
        value, slope = (
            load_part(kept, row + i, count),
            load_part(scratch, d_row + i, count),
        )
        store_part(kept, row + i, slope * subtract_product(one, value, value), count)
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
        softmax_backward(kept, row + at, scratch, d_row + at, n.shifts)

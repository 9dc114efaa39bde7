"""From the controller's head outputs to numbers in their ranges, forward and backward.

A row holds keys, key strengths, interpolation gates, shifts, sharpenings (less 1), erases and adds.
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
    for i in range(0, n.strength, n.lanes):
        _tanh(kept, row + i, n.strength - i)
    _softplus(kept, row + n.strength, n.heads)
    for i in range(0, n.heads, n.lanes):
        _sigmoid(kept, row + n.gate + i, n.heads - i)
    for head in range(n.heads):
        _softmax(kept, row + n.shift + head * n.shifts, n.shifts)
    _softplus(kept, row + n.sharpening, n.heads)
    for i in range(0, n.writes * n.words, n.lanes):
        _sigmoid(kept, row + n.erase + i, n.writes * n.words - i)
        _tanh(kept, row + n.add + i, n.writes * n.words - i)


@compiled
def _tanh(kept: Any, at: int, count: int) -> None:
    store_part(kept, at, tanh(load_part(kept, at, count)), count)


@compiled
def _sigmoid(kept: Any, at: int, count: int) -> None:
    store_part(kept, at, sigmoid(load_part(kept, at, count)), count)


@compiled
def _softplus(kept: Any, start: int, count: int) -> None:
    for i in range(0, count, lanes(kept)):
        value = minimum(load_part(kept, start + i, count - i), splat(kept, _LIMIT))
        store_part(kept, start + i, softplus(value), count - i)


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
def softplus_backward(kept: Any, start: int, scratch: Any, slopes: int, count: int) -> None:
    """Results of softplus to the gradients of its arguments, in place; zero at the limit."""
    for i in range(0, count, lanes(kept)):
        value = load_part(kept, start + i, count - i)
        slope = load_part(scratch, slopes + i, count - i) * softplus_slope(value)
        inside = where_below(slope, value, splat(kept, _LIMIT))
        store_part(kept, start + i, inside, count - i)


@compiled
def sigmoid_backward(kept: Any, start: int, scratch: Any, slopes: int, count: int) -> None:
    """Results of sigmoid to the gradients of its arguments, in place."""
    one = splat(kept, 1.0)
    for i in range(0, count, lanes(kept)):
        value = load_part(kept, start + i, count - i)
        slope = load_part(scratch, slopes + i, count - i)
        store_part(kept, start + i, slope * value * (one - value), count - i)


@compiled
def softmax_backward(kept: Any, start: int, scratch: Any, slopes: int, count: int) -> None:
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

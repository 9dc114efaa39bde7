"""From the controller's interface outputs to numbers in their ranges, forward and backward.

Strengths and sharpnesses are kept less the 1 that is added to their softplus.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.activations import sigmoid_backward, sigmoid_forward
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load_part, store_part
from ntmbench.engine.rows import copy
from ntmbench.engine.simd import lanes
from ntmbench.engine.softmax import softmax, softmax_backward
from ntmbench.engine.vectormath import softplus, softplus_slope

from .layout import Layout


@compiled
def activate(n: Layout, kept: Any, row: int) -> None:
    """Map a row of interface outputs into their ranges, in place."""
    _softpluses(kept, row + n.read_strengths, n.heads)
    _softpluses(kept, row + n.write_strength, 1)
    _softpluses(kept, row + n.sharpness, n.numbers - n.sharpness)
    sigmoid_forward(kept, row + n.free, n.heads)
    sigmoid_forward(kept, row + n.erase, n.words)
    sigmoid_forward(kept, row + n.allocation_gate, n.sharpness - n.allocation_gate)
    for head in range(n.heads):
        softmax(kept, row + n.modes + 3 * head, 3)


@compiled
def _softpluses(kept: Any, start: int, size: int) -> None:
    for i in range(0, size, lanes(kept)):
        count = size - i
        store_part(kept, start + i, softplus(load_part(kept, start + i, count)), count)


@compiled
def activate_backward(n: Layout, kept: Any, row: int, room: Any, d_row: int) -> None:
    """Turn a row in its ranges into the gradients of the controller's outputs, in place.

    ``d_row`` is the place in ``room`` of the gradients of what is in the row.
    """
    copy(room, d_row, kept, row, n.read_width)
    copy(room, d_row + n.write_key, kept, row + n.write_key, n.words)
    copy(room, d_row + n.vector, kept, row + n.vector, n.words)
    _softplus_slopes(kept, row + n.read_strengths, room, d_row + n.read_strengths, n.heads)
    _softplus_slopes(kept, row + n.write_strength, room, d_row + n.write_strength, 1)
    sharpness = n.numbers - n.sharpness
    _softplus_slopes(kept, row + n.sharpness, room, d_row + n.sharpness, sharpness)
    sigmoid_backward(kept, row + n.free, room, d_row + n.free, kept, row + n.free, n.heads)
    sigmoid_backward(kept, row + n.erase, room, d_row + n.erase, kept, row + n.erase, n.words)
    gates = n.allocation_gate
    sigmoid_backward(kept, row + gates, room, d_row + gates, kept, row + gates, n.sharpness - gates)
    for head in range(n.heads):
        at = n.modes + 3 * head
        softmax_backward(kept, row + at, room, d_row + at, 3)


@compiled
def _softplus_slopes(kept: Any, start: int, room: Any, slopes: int, size: int) -> None:
    for i in range(0, size, lanes(kept)):
        count = size - i
        slope = softplus_slope(load_part(kept, start + i, count))
        store_part(kept, start + i, load_part(room, slopes + i, count) * slope, count)

"""The elementwise part of controller layers, forward and backward."""

from __future__ import annotations

from typing import Any

from .jit import compiled
from .load_store import load_part, store_part
from .simd import add_product, lanes, splat, subtract_product
from .vectormath import sigmoid, tanh


@compiled
def lstm_forward(kept: Any, gates: int, cell: int, next_cell: int, hidden: int, units: int) -> None:
    """Gates' inputs (input, forget, candidate, output) to gates in place; new cell and output."""
    for i in range(0, units, lanes(kept)):
        count = units - i
        write = sigmoid(load_part(kept, gates + i, count))
        keep = sigmoid(load_part(kept, gates + units + i, count))
        candidate = tanh(load_part(kept, gates + 2 * units + i, count))
        show = sigmoid(load_part(kept, gates + 3 * units + i, count))
        after = add_product(keep * load_part(kept, cell + i, count), write, candidate)
        store_part(kept, next_cell + i, after, count)
        store_part(kept, hidden + i, show * tanh(after), count)
        store_part(kept, gates + i, write, count)
        store_part(kept, gates + units + i, keep, count)
        store_part(kept, gates + 2 * units + i, candidate, count)
        store_part(kept, gates + 3 * units + i, show, count)


@compiled
def lstm_backward(
    kept: Any,
    gates: int,
    cell: int,
    next_cell: int,
    scratch: Any,
    d_hidden: int,
    d_cell: int,
    units: int,
) -> None:
    """Gates to the gradients of their inputs, in place; ``d_cell`` moves to the step before."""
    one = splat(kept, 1.0)
    for i in range(0, units, lanes(kept)):
        count = units - i
        write = load_part(kept, gates + i, count)
        keep = load_part(kept, gates + units + i, count)
        candidate = load_part(kept, gates + 2 * units + i, count)
        show = load_part(kept, gates + 3 * units + i, count)
        before = load_part(kept, cell + i, count)
        shown = tanh(load_part(kept, next_cell + i, count))
        slope = load_part(scratch, d_hidden + i, count)
        d_cells = load_part(scratch, d_cell + i, count)
        d_after = add_product(d_cells, slope * show, subtract_product(one, shown, shown))
        store_part(scratch, d_cell + i, d_after * keep, count)
        d_write = d_after * candidate * write * (one - write)
        d_keep = d_after * before * keep * (one - keep)
        d_candidate = d_after * write * subtract_product(one, candidate, candidate)
        store_part(kept, gates + i, d_write, count)
        store_part(kept, gates + units + i, d_keep, count)
        store_part(kept, gates + 2 * units + i, d_candidate, count)
        store_part(kept, gates + 3 * units + i, slope * shown * show * (one - show), count)


@compiled
def tanh_forward(kept: Any, outputs: int, units: int) -> None:
    """Apply tanh in place."""
    for i in range(0, units, lanes(kept)):
        store_part(kept, outputs + i, tanh(load_part(kept, outputs + i, units - i)), units - i)


@compiled
def tanh_backward(kept: Any, outputs: int, scratch: Any, d_outputs: int, units: int) -> None:
    """Outputs of tanh to the gradients of its arguments, in place."""
    one = splat(kept, 1.0)
    for i in range(0, units, lanes(kept)):
        value = load_part(kept, outputs + i, units - i)
        slope = load_part(scratch, d_outputs + i, units - i)
        store_part(kept, outputs + i, slope * subtract_product(one, value, value), units - i)

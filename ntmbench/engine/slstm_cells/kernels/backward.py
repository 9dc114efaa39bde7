"""The backward pass of some sequences over all steps, and the gradient of R.

m scales c and n alike, so that h does not depend on it. It is treated as a constant.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, store
from ntmbench.engine.matmul import multiply
from ntmbench.engine.simd import add_product, lanes, splat

from .announced import slstm_kernel
from .layout import Sizes


@slstm_kernel
def run_backward(
    n: Sizes,
    gates: Any,
    recurrent: Any,
    d_outputs: Any,
    cells: Any,
    weights: Any,
    slopes: Any,
    d_state: Any,
    first: int,
    count: int,
) -> None:
    """Run sequences ``first`` to ``first + count``.

    Args:
        n: sizes; the forward pass kept every step.
        gates: as the forward pass left them; replaced by the gradients of W x + b.
        recurrent: R transposed, ``[H, 4, L, L]``.
        d_outputs: the gradients of h, ``[T, B, H, L]``.
        cells: c, ``[T, B, H, L]``.
        weights: n, the same.
        slopes: the derivative of f' with respect to f~, the same.
        d_state: the gradients of h, c and n as the step after has them, ``[3, B, H, L]``; zeros at
            first.
        first: the first sequence.
        count: how many.
    """
    mode = flush_denormals()
    wide, step_row = lanes(gates), n.batch * n.heads * n.row
    for step in range(n.steps - 1, -1, -1):
        for head in range(n.heads):
            start = (first * n.heads + head) * n.row
            for sequence in range(start, start + count * n.heads * n.row, n.heads * n.row):
                _step_back(n, step, sequence, gates, d_outputs, cells, weights, slopes, d_state)
            if step > 0:
                multiply(
                    gates, 4 * (step * step_row + start), 4 * n.heads * n.row, 1,
                    recurrent, head * 4 * n.row * n.row, wide, n.row,
                    d_state, start, n.heads * n.row,
                    count, n.row // wide, 4 * n.row, False,
                )  # fmt: skip
    restore(mode)


@compiled
def _step_back(
    n: Sizes,
    step: int,
    place: int,
    gates: Any,
    d_outputs: Any,
    cells: Any,
    weights: Any,
    slopes: Any,
    d_state: Any,
) -> None:
    """Go back through one step of the cells of a head."""
    zero, one = splat(gates, 0.0), splat(gates, 1.0)
    step_row = n.batch * n.heads * n.row
    at = step * step_row + place
    before = at - step_row
    d_cells, d_weights = place + step_row, place + 2 * step_row
    for i in range(0, n.row, lanes(gates)):
        write, keep = load(gates, 4 * at + i), load(gates, 4 * at + n.row + i)
        new, shown = load(gates, 4 * at + 2 * n.row + i), load(gates, 4 * at + 3 * n.row + i)
        weight = load(weights, at + i)
        mean = load(cells, at + i) / weight  # c / n
        d_output = load(d_outputs, at + i) + load(d_state, place + i)
        d_sum = d_output * shown / weight
        d_cell = load(d_state, d_cells + i) + d_sum
        d_weight = load(d_state, d_weights + i) - d_sum * mean
        d_keep = zero
        if step > 0:
            d_keep = d_cell * load(cells, before + i)
            d_keep = add_product(d_keep, d_weight, load(weights, before + i))
        store(d_state, d_cells + i, d_cell * keep)
        store(d_state, d_weights + i, d_weight * keep)
        store(gates, 4 * at + i, add_product(d_weight, d_cell, new) * write)
        store(gates, 4 * at + n.row + i, d_keep * load(slopes, at + i))
        store(gates, 4 * at + 2 * n.row + i, d_cell * write * (one - new * new))
        store(gates, 4 * at + 3 * n.row + i, d_output * mean * shown * (one - shown))


@slstm_kernel
def find_recurrent_gradient(
    n: Sizes, outputs: Any, d_gates: Any, result: Any, first: int, count: int
) -> None:
    """The gradient of R, ``[H, S, 4, L]``, for heads ``first`` to ``first + count``.

    Args:
        n: sizes.
        outputs: h, ``[T, B, H, L]``.
        d_gates: the gradients of W x + b, ``[T, B, H, 4, L]``.
        result: written here.
        first: the first head.
        count: how many.
    """
    mode = flush_denormals()
    wide = lanes(outputs)
    for head in range(first, first + count):
        # Every step but the first saw the outputs of the step before.
        multiply(
            outputs, head * n.row, 1, n.heads * n.row,
            d_gates, 4 * (n.batch * n.heads + head) * n.row, wide, 4 * n.heads * n.row,
            result, head * n.cells * 4 * n.row, 4 * n.row,
            n.cells, 4 * n.row // wide, (n.steps - 1) * n.batch, False,
        )  # fmt: skip
    restore(mode)

"""The forward pass of some sequences over all steps."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, store
from ntmbench.engine.matmul import multiply
from ntmbench.engine.simd import add_product, lanes, maximum, splat
from ntmbench.engine.vectormath import exp, sigmoid, softplus, softplus_slope, tanh

from .announced import slstm_kernel
from .layout import Sizes

#: m before the first step, in place of minus infinity.
LOWEST = -3e38


@slstm_kernel
def run_forward(
    n: Sizes,
    gates: Any,
    recurrent: Any,
    outputs: Any,
    cells: Any,
    weights: Any,
    slopes: Any,
    largest: Any,
    first: int,
    count: int,
) -> None:
    """Run sequences ``first`` to ``first + count``.

    Args:
        n: sizes.
        gates: W x + b of i~, f~, z~ and o~, ``[T, B, H, 4, L]``; replaced by i', f', z and o.
        recurrent: R, ``[H, S, 4, L]``.
        outputs: h, ``[T, B, H, L]``, written here.
        cells: c, ``[T or 1, B, H, L]``, written here.
        weights: n, the same.
        slopes: the derivative of f' with respect to f~, m held constant, the same.
        largest: m, ``[B, H, L]``, at first ``LOWEST``.
        first: the first sequence.
        count: how many.
    """
    mode = flush_denormals()
    wide, step_row = lanes(gates), n.batch * n.heads * n.row
    for step in range(n.steps):
        for head in range(n.heads):
            start = (first * n.heads + head) * n.row
            place = step * step_row + start
            if step > 0:
                multiply(
                    outputs, place - step_row, n.heads * n.row, 1,
                    recurrent, head * n.cells * 4 * n.row, wide, 4 * n.row,
                    gates, 4 * place, 4 * n.heads * n.row,
                    count, 4 * n.row // wide, n.cells, True,
                )  # fmt: skip
            for sequence in range(start, start + count * n.heads * n.row, n.heads * n.row):
                _step(n, step, sequence, gates, outputs, cells, weights, slopes, largest)
    restore(mode)


@compiled
def _step(
    n: Sizes,
    step: int,
    place: int,
    gates: Any,
    outputs: Any,
    cells: Any,
    weights: Any,
    slopes: Any,
    largest: Any,
) -> None:
    """One step of the cells of a head, which stand at ``place`` of each step's numbers."""
    zero = splat(gates, 0.0)
    at = step * n.batch * n.heads * n.row + place
    kept = step * n.kept + place
    before = kept - n.kept
    for i in range(0, n.row, lanes(gates)):
        asked = load(gates, 4 * at + i)  # i~
        forgotten = softplus(zero - load(gates, 4 * at + n.row + i))  # -log sigmoid(f~)
        new = tanh(load(gates, 4 * at + 2 * n.row + i))
        shown = sigmoid(load(gates, 4 * at + 3 * n.row + i))
        left = load(largest, place + i) - forgotten
        most = maximum(asked, left)
        write, keep = exp(asked - most), exp(left - most)  # i' and f'
        cell, weight = write * new, write
        if step > 0:
            cell = add_product(cell, keep, load(cells, before + i))
            weight = add_product(weight, keep, load(weights, before + i))
        store(largest, place + i, most)
        store(gates, 4 * at + i, write)
        store(gates, 4 * at + n.row + i, keep)
        store(gates, 4 * at + 2 * n.row + i, new)
        store(gates, 4 * at + 3 * n.row + i, shown)
        store(cells, kept + i, cell)
        store(weights, kept + i, weight)
        store(slopes, kept + i, keep * softplus_slope(forgotten))
        store(outputs, at + i, shown * cell / weight)

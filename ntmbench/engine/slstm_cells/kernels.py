"""The passes over all steps, for some of the sequences.

A row of numbers has one for each cell of a head, and zeros up to a whole number of vectors. The
four gates of a step and a head are four such rows.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled, kernel
from ntmbench.engine.load_store import load, store
from ntmbench.engine.matmul import multiply
from ntmbench.engine.simd import add_product, lanes, maximum, splat
from ntmbench.engine.vectormath import exp, sigmoid, softplus, tanh

#: In place of minus infinity, where nothing is kept yet.
LOWEST = -3e38

_kernel = kernel("the engine of the sLSTM", 5)


@_kernel
def run_forward(
    sizes: Any,
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
        sizes: T, B, H, S and the numbers of a row, L.
        gates: i~, f~, z~ and o~ but for what comes from the outputs, ``[T, B, H, 4, L]``; replaced
            by i', f', z and o.
        recurrent: R, ``[H, S, 4, L]``.
        outputs: h, ``[T, B, H, L]``, written here.
        cells: c, the same.
        weights: n, the same.
        slopes: of f' by f~, with m fixed, the same.
        largest: m, ``[B, H, L]``, room to work in.
        first: the first sequence.
        count: how many.
    """
    mode = flush_denormals()
    steps, batch, heads, size, row = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    wide = lanes(gates)
    for step in range(steps):
        for head in range(heads):
            place = ((step * batch + first) * heads + head) * row
            before = place - batch * heads * row
            if step > 0:
                multiply(
                    outputs, before, heads * row, 1,
                    recurrent, head * size * 4 * row, wide, 4 * row,
                    gates, 4 * place, 4 * heads * row,
                    count, 4 * row // wide, size, True,
                )  # fmt: skip
            for sequence in range(count):
                at = place + sequence * heads * row
                top = ((first + sequence) * heads + head) * row
                since = before + sequence * heads * row if step > 0 else -1
                _open(gates, 4 * at, outputs, cells, weights, slopes, at, since, largest, top, row)
    restore(mode)


@compiled
def _open(
    gates: Any,
    gate: int,
    outputs: Any,
    cells: Any,
    weights: Any,
    slopes: Any,
    at: int,
    before: int,
    largest: Any,
    top: int,
    row: int,
) -> None:
    """One step of the cells of a head; ``before`` is the place of the last one, or below zero."""
    zero, one = splat(gates, 0.0), splat(gates, 1.0)
    for i in range(0, row, lanes(gates)):
        opened, asked = load(gates, gate + i), load(gates, gate + row + i)
        new, shown = tanh(load(gates, gate + 2 * row + i)), sigmoid(load(gates, gate + 3 * row + i))
        kept = load(largest, top + i) - softplus(zero - asked)
        most = maximum(opened, kept)
        keep, write = exp(kept - most), exp(opened - most)
        cell, weight = write * new, write
        if before >= 0:
            cell = add_product(cell, keep, load(cells, before + i))
            weight = add_product(weight, keep, load(weights, before + i))
        store(largest, top + i, most)
        store(gates, gate + i, write)
        store(gates, gate + row + i, keep)
        store(gates, gate + 2 * row + i, new)
        store(gates, gate + 3 * row + i, shown)
        store(cells, at + i, cell)
        store(weights, at + i, weight)
        store(slopes, at + i, keep * (one - sigmoid(asked)))
        store(outputs, at + i, shown * cell / weight)


@_kernel
def run_backward(
    sizes: Any,
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
    """Go back through ``run_forward``, whose arrays those of the same names are.

    h depends on m in no way but rounding, since c and n have the same factor. So m counts as fixed.

    Args:
        sizes: T, B, H, S and L.
        gates: as the forward pass left them; replaced by the gradients of what they began as.
        recurrent: R the other way round, ``[H, 4, L, L]``.
        d_outputs: the gradients of h, ``[T, B, H, L]``.
        cells: c.
        weights: n.
        slopes: of f' by f~.
        d_state: zeros ``[3, B, H, L]``, room for the gradients of h, c and n.
        first: the first sequence.
        count: how many.
    """
    mode = flush_denormals()
    steps, batch, heads, row = sizes[0], sizes[1], sizes[2], sizes[4]
    wide = lanes(gates)
    part = batch * heads * row  # of d_state
    for step in range(steps - 1, -1, -1):
        for head in range(heads):
            place = ((step * batch + first) * heads + head) * row
            state = (first * heads + head) * row
            for sequence in range(count):
                further = sequence * heads * row
                at = place + further
                before = at - part if step > 0 else -1
                _open_back(
                    gates, 4 * at, d_outputs, cells, weights, slopes, at, before,
                    d_state, state + further, part, row,
                )  # fmt: skip
            if step > 0:
                multiply(
                    gates, 4 * place, 4 * heads * row, 1,
                    recurrent, head * 4 * row * row, wide, row,
                    d_state, state, heads * row,
                    count, row // wide, 4 * row, False,
                )  # fmt: skip
    restore(mode)


@compiled
def _open_back(
    gates: Any,
    gate: int,
    d_outputs: Any,
    cells: Any,
    weights: Any,
    slopes: Any,
    at: int,
    before: int,
    d_state: Any,
    state: int,
    part: int,
    row: int,
) -> None:
    """Go back through ``_open``."""
    zero, one = splat(gates, 0.0), splat(gates, 1.0)
    for i in range(0, row, lanes(gates)):
        write, keep = load(gates, gate + i), load(gates, gate + row + i)
        new, shown = load(gates, gate + 2 * row + i), load(gates, gate + 3 * row + i)
        weight = load(weights, at + i)
        share = load(cells, at + i) / weight
        d_output = load(d_outputs, at + i) + load(d_state, state + i)
        d_share = d_output * shown / weight
        d_cell = load(d_state, state + part + i) + d_share
        d_weight = load(d_state, state + 2 * part + i) - d_share * share
        d_keep = zero
        if before >= 0:
            d_keep = d_cell * load(cells, before + i)
            d_keep = add_product(d_keep, d_weight, load(weights, before + i))
        store(d_state, state + part + i, d_cell * keep)
        store(d_state, state + 2 * part + i, d_weight * keep)
        store(gates, gate + i, add_product(d_weight, d_cell, new) * write)
        store(gates, gate + row + i, d_keep * load(slopes, at + i))
        store(gates, gate + 2 * row + i, d_cell * write * (one - new * new))
        store(gates, gate + 3 * row + i, d_output * share * shown * (one - shown))

"""Gradients of linear maps: each one product over all steps and sequences."""

from __future__ import annotations

from typing import Any

from .addresses import at_address
from .jit import compiled
from .matmul import multiply
from .simd import lanes

#: Steps and sequences in one stretch of the sum, so that both factors fit the cache.
_STRETCH = 64


@compiled
def weight_gradient(
    a: Any,
    a_start: int,
    a_row: int,
    size: int,
    b: Any,
    b_start: int,
    b_row: int,
    width: int,
    rows: int,
    weight_at: int,
    bias_at: int,
    room: Any,
    begin: int,
    end: int,
) -> None:
    """Rows ``begin`` to ``end`` of A.T B, of which the last column is the bias's gradient.

    Whole vectors of a row are written to their place, and the rest by way of ``room``.

    Args:
        a: the gradients of ``size`` outputs, in ``rows`` rows from ``a_start`` on.
        a_start: the place of the first row.
        a_row: numbers from a row to the next.
        size: outputs of the map.
        b: what the map saw, the last of ``width`` numbers a 1, in as many rows.
        b_start: the place of the first row.
        b_row: numbers from a row to the next.
        width: inputs of the map, the 1 included.
        rows: steps times sequences.
        weight_at: the address of the weight's gradient, ``[size, width - 1]``.
        bias_at: the address of the bias's, ``[size]``.
        room: a vector for each row that is asked for.
        begin: the first row; rows outside of the map are left out.
        end: the row after the last one.
    """
    begin, end = max(begin, 0), min(end, size)
    if begin >= end:
        return
    inputs, wide = width - 1, lanes(a)
    weight = at_address(a, weight_at, size * inputs)
    bias = at_address(a, bias_at, size)
    vectors = inputs // wide
    rest = vectors * wide
    for start in range(0, rows, _STRETCH):
        a_at, b_at = a_start + start * a_row + begin, b_start + start * b_row
        count = min(_STRETCH, rows - start)
        multiply(
            a, a_at, 1, a_row,
            b, b_at, wide, b_row,
            weight, begin * inputs, inputs,
            end - begin, vectors, count, start > 0,
        )  # fmt: skip
        multiply(
            a, a_at, 1, a_row,
            b, b_at + rest, wide, b_row,
            room, 0, wide,
            end - begin, 1, count, start > 0,
        )  # fmt: skip
    for i in range(begin, end):
        at = (i - begin) * wide
        for j in range(rest, inputs):
            weight[i * inputs + j] = room[at + j - rest]
        bias[i] = room[at + inputs - rest]

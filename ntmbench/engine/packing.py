"""Weights, as ``nn.Linear`` keeps them, laid out in the order in which products read them."""

from __future__ import annotations

from typing import Any

from .addresses import at_address
from .jit import compiled
from .load_store import load_part, store, transpose
from .simd import lanes


@compiled
def pack_panels(size: int, width: int, weight_at: int, bias_at: int, packed: Any, to: int) -> None:
    """Lay out a weight and its bias for ``[inputs, 1] @ [weight, bias].T``; ``width`` counts the 1.

    A panel has as many outputs as a vector holds, and one vector for each input.
    ``weight_at`` and ``bias_at`` are the addresses of ``[size, width - 1]`` and ``[size]``.
    """
    inputs = width - 1
    weight = at_address(packed, weight_at, size * inputs)
    bias = at_address(packed, bias_at, size)
    wide = lanes(packed)
    for first in range(0, size, wide):
        at = to + first * width
        for i in range(0, inputs, wide):
            transpose(
                weight,
                first * inputs + i,
                inputs,
                size - first,
                inputs - i,
                packed,
                at + i * wide,
            )
        store(packed, at + inputs * wide, load_part(bias, first, size - first))


@compiled
def pack_columns(
    size: int, end: int, begin: int, weight_at: int, packed: Any, to: int, row: int = 0
) -> None:
    """Lay out columns ``begin`` to ``end`` of a weight for ``gradient @ weight``.

    ``weight_at`` is the weight's address, ``size`` the number of its rows, and ``row`` its width if
    that is not ``end``.
    """
    row = max(row, end)
    weight = at_address(packed, weight_at, size * row)
    wide = lanes(packed)
    for first in range(begin, end, wide):
        at = to + (first - begin) * size
        for i in range(size):
            value = load_part(weight, i * row + first, end - first)
            store(packed, at + i * wide, value)

"""Weights and first values, laid out as the products read them."""

from __future__ import annotations

from typing import Any

from .jit import kernel
from .simd import lanes


@kernel
def pack_forward(weight: Any, bias: Any, packed: Any, start: int) -> None:
    """Lay out ``weight [size, width]`` and ``bias [size]`` for ``[inputs, 1] @ [weight, bias].T``.

    Panels of as many outputs as a vector holds; within a panel, one vector for each input.
    """
    size, width = weight.shape
    wide = lanes(packed)
    for first in range(0, size, wide):
        at = start + first * (width + 1)
        count = min(wide, size - first)
        for i in range(width):
            for j in range(count):
                packed[at + i * wide + j] = weight[first + j, i]
            for j in range(count, wide):
                packed[at + i * wide + j] = 0
        for j in range(count):
            packed[at + width * wide + j] = bias[first + j]
        for j in range(count, wide):
            packed[at + width * wide + j] = 0


@kernel
def pack_backward(weight: Any, column: int, columns: int, packed: Any, start: int) -> None:
    """Lay out ``columns`` columns of ``weight [size, width]`` for ``gradient @ weight``."""
    size = weight.shape[0]
    wide = lanes(packed)
    for first in range(0, columns, wide):
        at = start + first * size
        count = min(wide, columns - first)
        for j in range(size):
            for i in range(count):
                packed[at + j * wide + i] = weight[j, column + first + i]
            for i in range(count, wide):
                packed[at + j * wide + i] = 0


@kernel
def pack_first(
    memory: Any, weightings: Any, slot_row: int, packed: Any, memory_start: int, start: int
) -> None:
    """Lay out the first memory ``[rows, M]``, its rows repeated, and the weightings ``[H, N]``."""
    heads, slots = weightings.shape
    rows, words = memory.shape
    for i in range(words):
        for slot in range(slot_row):
            value = memory[slot % rows, i] if slot < slots else 0
            packed[memory_start + i * slot_row + slot] = value
    for head in range(heads):
        for slot in range(slot_row):
            value = weightings[head, slot] if slot < slots else 0
            packed[start + head * slot_row + slot] = value

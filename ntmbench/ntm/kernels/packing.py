"""Weights and first values, laid out as the products read them."""

from __future__ import annotations

from typing import Any

from ntmbench.addresses import at_address

from .jit import compiled, kernel
from .layout import Layout
from .simd import lanes, load_part, store, transpose


@kernel
def pack_forward(n: Layout, tensors: Any, like: Any, packed_at: int) -> None:
    """Lay out all weights and first values for the forward pass.

    Args:
        n: sizes and places.
        tensors: addresses of the first controller states, reads, memory and weightings, and of
            the weight and bias of each layer, the heads and the output.
        like: an array of the type of the numbers.
        packed_at: address of the room for the result.
    """
    packed = at_address(like, packed_at, n.packed)
    _pack_first(n, tensors, packed)
    _panels(n.gates, n.first_width, tensors, 4, packed, n.pack_first)
    for layer in range(1, n.layers):
        to = n.pack_later + (layer - 1) * n.gate_row * n.later_width
        _panels(n.gates, n.later_width, tensors, 4 + 2 * layer, packed, to)
    pair = 4 + 2 * n.layers
    _panels(n.head_numbers, n.units + 1, tensors, pair, packed, n.pack_heads)
    _panels(n.outputs, n.read_width + n.units + 1, tensors, pair + 2, packed, n.pack_output)


@compiled
def _panels(size: int, width: int, tensors: Any, pair: int, packed: Any, to: int) -> None:
    """Lay out a weight and its bias for ``[inputs, 1] @ [weight, bias].T``; ``width`` counts the 1.

    Panels of as many outputs as a vector holds; within a panel, one vector for each input.
    """
    inputs = width - 1
    weight = at_address(packed, tensors[pair], size * inputs)
    bias = at_address(packed, tensors[pair + 1], size)
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
def _pack_first(n: Layout, tensors: Any, packed: Any) -> None:
    """Lay out the first memory word by word, its rows repeated, and the weightings, padded."""
    rows, words = n.first_rows, n.words
    memory = at_address(packed, tensors[2], rows * words)
    for word in range(words):
        to = n.pack_memory + word * n.slot_row
        row = 0
        for slot in range(n.slots):
            packed[to + slot] = memory[row * words + word]
            row = row + 1 if row + 1 < rows else 0
        for slot in range(n.slots, n.slot_row):
            packed[to + slot] = 0
    weightings = at_address(packed, tensors[3], n.heads * n.slots)
    for head in range(n.heads):
        for slot in range(0, n.slot_row, lanes(packed)):
            value = load_part(weightings, head * n.slots + slot, n.slots - slot)
            store(packed, n.pack_weightings + head * n.slot_row + slot, value)


@kernel
def pack_backward(n: Layout, tensors: Any, like: Any, packed_at: int) -> None:
    """Lay out all weights for the backward pass; arguments as for ``pack_forward``."""
    packed = at_address(like, packed_at, n.back_packed)
    own = n.recurrent * n.units
    _columns(n.gates, n.first_width - 1, n.inputs, tensors[4], packed, n.back_first)
    size = -(-(n.units + own) // n.lanes) * n.lanes * n.gates
    for layer in range(1, n.layers):
        to = n.back_later + (layer - 1) * size
        _columns(n.gates, n.later_width - 1, 0, tensors[4 + 2 * layer], packed, to)
    weight = 4 + 2 * n.layers
    _columns(n.head_numbers, n.units, 0, tensors[weight], packed, n.back_heads)
    width = n.read_width + n.units
    output = tensors[weight + 2]
    _columns(n.outputs, n.read_width, 0, output, packed, n.back_output_reads, width)
    _columns(n.outputs, width, n.read_width, output, packed, n.back_output_units)


@compiled
def _columns(
    size: int, end: int, begin: int, address: int, packed: Any, to: int, row: int = 0
) -> None:
    """Lay out columns ``begin`` to ``end`` of a weight for ``gradient @ weight``.

    ``row`` is the weight's width where that is not ``end``.
    """
    row = max(row, end)
    weight = at_address(packed, address, size * row)
    wide = lanes(packed)
    for first in range(begin, end, wide):
        at = to + (first - begin) * size
        for i in range(size):
            value = load_part(weight, i * row + first, end - first)
            store(packed, at + i * wide, value)

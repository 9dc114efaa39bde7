"""Weights and first values, in the order in which the products read them."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load_part, store
from ntmbench.engine.packing import pack_columns, pack_panels
from ntmbench.engine.simd import lanes

from .announced import ntm_kernel
from .layout import Layout


@ntm_kernel
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
    pack_panels(n.gates, n.first_width, tensors[4], tensors[5], packed, n.pack_first)
    for layer in range(1, n.layers):
        to = n.pack_later + (layer - 1) * n.gate_row * n.later_width
        pack_panels(
            n.gates, n.later_width, tensors[4 + 2 * layer], tensors[5 + 2 * layer], packed, to
        )
    pair = 4 + 2 * n.layers
    pack_panels(n.head_numbers, n.units + 1, tensors[pair], tensors[pair + 1], packed, n.pack_heads)
    pack_panels(
        n.outputs,
        n.read_width + n.units + 1,
        tensors[pair + 2],
        tensors[pair + 3],
        packed,
        n.pack_output,
    )


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


@ntm_kernel
def pack_backward(n: Layout, tensors: Any, like: Any, packed_at: int) -> None:
    """Lay out all weights for the backward pass; arguments as for ``pack_forward``."""
    packed = at_address(like, packed_at, n.back_packed)
    own = n.recurrent * n.units
    pack_columns(n.gates, n.first_width - 1, n.inputs, tensors[4], packed, n.back_first)
    size = -(-(n.units + own) // n.lanes) * n.lanes * n.gates
    for layer in range(1, n.layers):
        to = n.back_later + (layer - 1) * size
        pack_columns(n.gates, n.later_width - 1, 0, tensors[4 + 2 * layer], packed, to)
    weight = 4 + 2 * n.layers
    pack_columns(n.head_numbers, n.units, 0, tensors[weight], packed, n.back_heads)
    width = n.read_width + n.units
    output = tensors[weight + 2]
    pack_columns(n.outputs, n.read_width, 0, output, packed, n.back_output_reads, width)
    pack_columns(n.outputs, width, n.read_width, output, packed, n.back_output_units)

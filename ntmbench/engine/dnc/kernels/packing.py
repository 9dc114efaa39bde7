"""Weights in the order in which the products read them."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.packing import pack_columns, pack_panels

from .announced import dnc_kernel
from .layout import Layout


@dnc_kernel
def pack_forward(n: Layout, tensors: Any, like: Any, packed_at: int) -> None:
    """Lay out all weights for the forward pass.

    Args:
        n: sizes and places.
        tensors: addresses of weight and bias of the controller, the interface and the output.
        like: an array of the type of the numbers.
        packed_at: address of the room for the result.
    """
    packed = at_address(like, packed_at, n.packed)
    pack_panels(4 * n.units, n.seen_width, tensors[0], tensors[1], packed, n.pack_gates)
    pack_panels(n.numbers, n.units + 1, tensors[2], tensors[3], packed, n.pack_interface)
    pack_panels(n.outputs, n.answer_width, tensors[4], tensors[5], packed, n.pack_output)


@dnc_kernel
def pack_backward(n: Layout, tensors: Any, like: Any, packed_at: int) -> None:
    """Lay out all weights for the backward pass; arguments as for ``pack_forward``."""
    packed = at_address(like, packed_at, n.back_packed)
    pack_columns(4 * n.units, n.seen_width - 1, n.inputs, tensors[0], packed, n.back_gates)
    pack_columns(n.numbers, n.units, 0, tensors[2], packed, n.back_interface)
    pack_columns(n.outputs, n.answer_width - 1, 0, tensors[4], packed, n.back_output)

"""The weights of all layers, in the order in which the products read them."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.packing import pack_columns, pack_panels

from .announced import soft_kernel


@soft_kernel
def pack_forward(layers: Any, tensors: Any, like: Any, packed_at: int, size: int) -> None:
    """Lay out all weights for the forward pass.

    Args:
        layers: the table of layers.
        tensors: addresses of the weight and the bias of each layer.
        like: an array of the type of the numbers.
        packed_at: address of the room for the result.
        size: the numbers in it.
    """
    packed = at_address(like, packed_at, size)
    for i in range(layers.size):
        layer = layers[i]
        pack_panels(
            layer.size, layer.inputs + 1, tensors[2 * i], tensors[2 * i + 1], packed, layer.pack
        )


@soft_kernel
def pack_backward(layers: Any, tensors: Any, like: Any, packed_at: int, size: int) -> None:
    """Lay out all weights for the backward pass; arguments as for ``pack_forward``."""
    packed = at_address(like, packed_at, size)
    for i in range(layers.size):
        layer = layers[i]
        pack_columns(layer.size, layer.inputs, layer.begin, tensors[2 * i], packed, layer.back)

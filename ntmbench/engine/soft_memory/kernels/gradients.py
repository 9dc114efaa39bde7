"""Gradients of all weights."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.processor import FLOAT_LANES
from ntmbench.engine.weight_gradients import weight_gradient

from .announced import soft_kernel
from .layout import Sizes


@soft_kernel
def weight_gradients(
    n: Sizes, layers: Any, addresses: Any, like: Any, room_at: int, begin: int, end: int
) -> None:
    """Compute rows ``begin`` to ``end`` of all weights' gradients, counted through all layers.

    Args:
        n: sizes and places.
        layers: the table of layers.
        addresses: of ``kept``, of the gradient of the logits, and of the result, a tensor for each
            weight and bias.
        like: an array of the type of the numbers.
        room_at: address of room for a vector for each row.
        begin: the first row.
        end: the row after the last one.
    """
    mode = flush_denormals()
    rows = n.steps * n.batch
    kept = at_address(like, addresses[0], n.kept)
    d_logits = at_address(like, addresses[1], rows * n.outputs)
    room = at_address(like, room_at, (end - begin) * FLOAT_LANES)
    for i in range(layers.size):
        layer = layers[i]
        slopes, at = (kept, layer.slopes) if layer.slopes >= 0 else (d_logits, 0)
        weight_gradient(
            slopes, at, layer.slopes_row, layer.size,
            kept, layer.seen, layer.seen_row, layer.inputs + 1,
            rows, addresses[2 + 2 * i], addresses[3 + 2 * i], room, begin, end,
        )  # fmt: skip
        begin -= layer.size
        end -= layer.size
    restore(mode)

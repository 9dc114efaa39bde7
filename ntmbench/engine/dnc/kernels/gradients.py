"""Gradients of the weights, one product over all steps and sequences each."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.weight_gradients import weight_gradient

from .announced import dnc_kernel
from .layout import Layout


@dnc_kernel
def weight_gradients(
    n: Layout, addresses: Any, like: Any, room_at: int, begin: int, end: int
) -> None:
    """Compute rows ``begin`` to ``end`` of all weights' gradients, counted through all matrices.

    Args:
        n: sizes and places.
        addresses: of the gradient of the logits, of ``kept`` and of the result, a tensor for each
            weight and bias.
        like: an array of the type of the numbers.
        room_at: address of room for a vector for each row.
        begin: the first row.
        end: the row after the last one.
    """
    mode = flush_denormals()
    rows, gates = n.steps * n.batch, 4 * n.units
    d_logits = at_address(like, addresses[0], rows * n.outputs)
    kept = at_address(like, addresses[1], n.kept)
    room = at_address(like, room_at, (end - begin) * n.lanes)
    start = n.batch * n.record
    weight_gradient(
        kept, start + n.gates, n.record, gates,
        kept, start + n.seen, n.record, n.seen_width,
        rows, addresses[2], addresses[3], room, begin, end,
    )  # fmt: skip
    begin -= gates
    end -= gates
    hidden = start + n.answer + n.read_width
    weight_gradient(
        kept, start + n.interface, n.record, n.numbers,
        kept, hidden, n.record, n.units + 1,
        rows, addresses[4], addresses[5], room, begin, end,
    )  # fmt: skip
    begin -= n.numbers
    end -= n.numbers
    weight_gradient(
        d_logits, 0, n.outputs, n.outputs,
        kept, start + n.answer, n.record, n.answer_width,
        rows, addresses[6], addresses[7], room, begin, end,
    )  # fmt: skip
    restore(mode)

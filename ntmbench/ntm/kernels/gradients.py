"""Gradients of the weights, one product over all steps and sequences each, and of first values."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.rows import add_part, copy
from ntmbench.engine.weight_gradients import weight_gradient

from .announced import ntm_kernel
from .layout import Layout


@ntm_kernel
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
    d_logits = at_address(like, addresses[0], n.steps * n.batch * n.outputs)
    kept = at_address(like, addresses[1], n.kept)
    room = at_address(like, room_at, (end - begin) * n.lanes)
    rows = n.steps * n.batch
    for layer in range(n.layers):
        slopes = n.at_gates + layer * rows * n.gate_row
        if layer == 0:
            seen, row, width = n.at_first, n.first_row, n.first_width
        else:
            seen = n.at_later + (layer - 1) * (rows + n.batch) * n.later_row
            row, width = n.later_row, n.later_width
        pair = 2 + 2 * layer
        weight_gradient(
            kept, slopes, n.gate_row, n.gates,
            kept, seen, row, width,
            rows, addresses[pair], addresses[pair + 1], room, begin, end,
        )  # fmt: skip
        begin -= n.gates
        end -= n.gates
    seen, width, pair = n.at_answers + n.read_width, n.units + 1, 2 + 2 * n.layers
    weight_gradient(
        kept, n.at_heads, n.head_row, n.head_numbers,
        kept, seen, n.answer_row, width,
        rows, addresses[pair], addresses[pair + 1], room, begin, end,
    )  # fmt: skip
    begin -= n.head_numbers
    end -= n.head_numbers
    weight_gradient(
        d_logits, 0, n.outputs, n.outputs,
        kept, n.at_answers, n.answer_row, n.read_width + width,
        rows, addresses[pair + 2], addresses[pair + 3], room, begin, end,
    )  # fmt: skip
    restore(mode)


@ntm_kernel
def start_gradients(n: Layout, addresses: Any, like: Any) -> None:
    """Add up the gradients of what stood before the first step, sequence by sequence.

    Args:
        n: sizes and places.
        addresses: of the gradients of each sequence as ``run_backward`` leaves them, which are used
            up, and of the results, all zero: for the controller's states, reads, memory and
            weightings.
        like: an array of the type of the numbers.
    """
    starts = at_address(like, addresses[0], n.batch * n.start_row)
    controller = 2 * n.recurrent * n.layers * n.units
    for sequence in range(1, n.batch):
        add_part(starts, sequence * n.start_row, starts, 0, n.start_row)
    d_memory = at_address(like, addresses[3], n.first_rows * n.words)
    for slot in range(n.slots):
        row = slot % n.first_rows
        for word in range(n.words):
            d_memory[row * n.words + word] += starts[word * n.slot_row + slot]
    at = n.words * n.slot_row
    d_weightings = at_address(like, addresses[4], n.heads * n.slots)
    for head in range(n.heads):
        copy(starts, at + head * n.slot_row, d_weightings, head * n.slots, n.slots)
    at += n.heads * n.slot_row
    d_reads = at_address(like, addresses[2], n.read_width)
    copy(starts, at, d_reads, 0, n.read_width)
    copy(starts, at + n.read_width, at_address(like, addresses[1], controller), 0, controller)

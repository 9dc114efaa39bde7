"""The backward pass of a block of sequences over all steps, down to the products' gradients."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.layers import lstm_backward
from ntmbench.engine.matmul import multiply
from ntmbench.engine.rows import copy_vectors, fill

from .allocation import (
    allocate,
    allocate_backward,
    retain,
    retain_backward,
    take_usage,
    use_backward,
)
from .announced import dnc_kernel
from .forward import clear_shared, kept_memory, record_of
from .interface import activate_backward
from .layout import Layout, Scratch
from .links import follow_backward, link, mix_backward
from .lookup import look_up_backward
from .memory import (
    choose_slots_backward,
    precede_backward,
    read_backward,
    write,
    write_backward,
)


@dnc_kernel
def run_backward(
    n: Layout, s: Scratch, addresses: Any, like: Any, room_at: int, first: int, count: int
) -> None:
    """Take sequences ``first`` to ``first + count`` back over all steps.

    Each gate and each number of the interface in ``kept`` is replaced by the gradient of what the
    linear maps gave for it.

    Args:
        n: sizes and places.
        s: places in the room.
        addresses: of the gradient of the logits ``[T, B, out]``, of ``kept``, and of the weights
            packed for the backward pass.
        like: an array of the type of the numbers.
        room_at: address of room to work in.
        first: the block's first sequence.
        count: its number of sequences.
    """
    d_logits = at_address(like, addresses[0], n.steps * n.batch * n.outputs)
    kept = at_address(like, addresses[1], n.kept)
    weights = at_address(like, addresses[2], n.back_packed)
    room = at_address(like, room_at, s.size)
    mode = flush_denormals()
    clear_shared(n, s, room)
    for i in range(count):
        fill(room, s.first_own + i * s.own, s.carried, 0.0)
    for start in range((n.steps - 1) // n.interval * n.interval, -1, -n.interval):
        end = min(start + n.interval, n.steps)
        for i in range(count):
            recall(n, s, kept, room, start, end, first + i, s.first_own + i * s.own)
        for step in range(end - 1, start - 1, -1):
            answer_backward(n, s, weights, d_logits, room, step, first, count)
            for i in range(count):
                own = s.first_own + i * s.own
                memory_backward(n, s, kept, room, step, step - start, first + i, own)
            controller_backward(n, s, weights, kept, room, step, first, count)
    restore(mode)


@compiled
def recall(
    n: Layout, s: Scratch, kept: Any, room: Any, start: int, end: int, sequence: int, own: int
) -> None:
    """Compute memories and links again, from before step ``start`` to after the last of a chunk."""
    memory, links = own + s.memory, own + s.links
    at = kept_memory(n, start, sequence)
    copy_vectors(kept, at, room, memory, n.memory_size)
    copy_vectors(kept, at + n.memory_size, room, links, n.links_size)
    for step in range(start, end):
        before, now = record_of(n, step, sequence), record_of(n, step + 1, sequence)
        if n.frees:
            retain(n, s, kept, before, now, room)
        write(n, s, kept, now, room, memory, memory + n.memory_size)
        if step + 1 < end or n.heads > 1:  # for one head, the last links are not needed
            link(n, kept, before, now, room, links, links + n.links_size)
        memory += n.memory_size
        links += n.links_size


@compiled
def answer_backward(
    n: Layout, s: Scratch, weights: Any, d_logits: Any, room: Any, step: int, first: int, count: int
) -> None:
    """Add the gradients of a step's reads and controller that come from its logits."""
    multiply(
        d_logits, (step * n.batch + first) * n.outputs, n.outputs, 1,
        weights, n.back_output, n.lanes * n.outputs, n.lanes,
        room, s.first_own + s.d_answer, s.own,
        count, -(-(n.read_width + n.units) // n.lanes), n.outputs, True,
    )  # fmt: skip


@compiled
def memory_backward(
    n: Layout, s: Scratch, kept: Any, room: Any, step: int, place: int, sequence: int, own: int
) -> None:
    """One sequence: back through reading, linking, writing, allocating and freeing.

    ``place`` is the step's number in its chunk.
    """
    before, now = record_of(n, step, sequence), record_of(n, step + 1, sequence)
    interface = now + n.interface
    memory, links = own + s.memory + place * n.memory_size, own + s.links + place * n.links_size
    written = memory + n.memory_size
    d_memory = own + s.d_memory
    retain(n, s, kept, before, now, room)
    fill(room, s.d_retention, n.slot_row, 0.0)
    copy_vectors(room, own + s.d_written, room, s.d_write, n.slot_row)
    read_backward(n, s, kept, now, room, written, own)
    for head in range(n.heads):
        mix_backward(n, s, kept, before, now, head, room, own)
        key, mask = head * n.words, n.read_masks + head * n.words
        at = now + n.likeness + head * n.slot_row
        look_up_backward(
            n, s, kept, interface, key, mask, n.read_strengths + head, at, room, written, d_memory
        )
    precede_backward(n, s, kept, before, now, room, own)
    follow_backward(n, s, kept, before, now, room, links, own)
    write_backward(n, s, kept, now, room, memory, d_memory)
    take_usage(n, s, kept, now, room)
    allocated = allocate(n, s, kept, now, room)
    choose_slots_backward(n, s, kept, now, room)
    at = now + n.likeness + n.heads * n.slot_row
    look_up_backward(
        n, s, kept, interface, n.write_key, n.write_mask, n.write_strength, at, room, memory,
        d_memory,
    )  # fmt: skip
    allocate_backward(n, s, kept, now, allocated, room, own)
    use_backward(n, s, kept, before, room, own)
    retain_backward(n, s, kept, before, now, room, own)
    activate_backward(n, kept, interface, room, s.d_numbers)


@compiled
def controller_backward(
    n: Layout, s: Scratch, weights: Any, kept: Any, room: Any, step: int, first: int, count: int
) -> None:
    """From the interface and the controller's output to the answer of the step before."""
    start = record_of(n, step + 1, first)
    multiply(
        kept, start + n.interface, n.record, 1,
        weights, n.back_interface, n.lanes * n.numbers, n.lanes,
        room, s.first_own + s.d_answer + n.read_width, s.own,
        count, -(-n.units // n.lanes), n.numbers, True,
    )  # fmt: skip
    for i in range(count):
        before, now = record_of(n, step, first + i), record_of(n, step + 1, first + i)
        own = s.first_own + i * s.own
        lstm_backward(
            kept, now + n.gates, before + n.cell, now + n.cell,
            room, own + s.d_answer + n.read_width, own + s.d_cell, n.units,
        )  # fmt: skip
    multiply(
        kept, start + n.gates, n.record, 1,
        weights, n.back_gates, n.lanes * 4 * n.units, n.lanes,
        room, s.first_own + s.d_answer, s.own,
        count, -(-(n.read_width + n.units) // n.lanes), 4 * n.units, False,
    )  # fmt: skip

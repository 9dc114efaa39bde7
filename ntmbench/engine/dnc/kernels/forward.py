"""The forward pass of a block of sequences over all steps."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.layers import lstm_forward
from ntmbench.engine.matmul import multiply
from ntmbench.engine.rows import copy, copy_vectors, fill

from .allocation import allocate, put_in_order, retain, take_usage, use
from .announced import dnc_kernel
from .interface import activate
from .layout import Layout, Scratch
from .links import follow, mix
from .lookup import look_up
from .memory import choose_slots, precede, read, write


@compiled
def record_of(n: Layout, count: int, sequence: int) -> int:
    """The place in ``kept`` of a sequence's record after ``count`` steps."""
    number = count if n.keep else count & 1
    return (number * n.batch + sequence) * n.record


@compiled
def kept_memory(n: Layout, step: int, sequence: int) -> int:
    """The place in ``kept`` of memory and links before a step, a multiple of the interval."""
    number = step // n.interval * n.batch + sequence
    return n.at_memories + number * (n.memory_size + n.links_size)


@compiled
def clear_shared(n: Layout, s: Scratch, room: Any) -> None:
    """Clear what all sequences of a block share, and mark what is beyond the last slot."""
    fill(room, 0, s.first_own, 0.0)
    for slot in range(n.slots, n.slot_row):
        room[s.padding + slot] = -1e30


@dnc_kernel
def run_forward(
    n: Layout, s: Scratch, addresses: Any, like: Any, room_at: int, first: int, count: int
) -> None:
    """Run sequences ``first`` to ``first + count`` over all steps.

    Args:
        n: sizes and places.
        s: places in the room.
        addresses: of the inputs ``[T, B, in]``, the logits ``[T, B, out]``, which are filled, of
            ``kept``, filled with what the backward pass needs, and of the packed weights.
        like: an array of the type of the numbers.
        room_at: address of room to work in.
        first: the block's first sequence.
        count: its number of sequences.
    """
    rows = n.steps * n.batch
    inputs = at_address(like, addresses[0], rows * n.inputs)
    logits = at_address(like, addresses[1], rows * n.outputs)
    kept = at_address(like, addresses[2], n.kept)
    weights = at_address(like, addresses[3], n.packed)
    room = at_address(like, room_at, s.size)
    mode = flush_denormals()
    clear_shared(n, s, room)
    fill(kept, record_of(n, 0, first), count * n.record, 0.0)
    for i in range(count):
        own = s.first_own + i * s.own
        fill(room, own + s.memory, n.memory_size, 0.0)
        fill(room, own + s.links, n.links_size, 0.0)
    for step in range(n.steps):
        now = record_of(n, step + 1, first)
        controller_step(n, weights, inputs, kept, step, first, count)
        for i in range(count):
            own = s.first_own + i * s.own
            memory_step(n, s, kept, room, step, first + i, own + s.memory, own + s.links)
        multiply(
            kept, now + n.answer, n.record, 1,
            weights, n.pack_output, n.lanes * n.answer_width, n.lanes,
            room, s.output, n.output_row,
            count, n.output_row // n.lanes, n.answer_width, False,
        )  # fmt: skip
        for i in range(count):
            target = (step * n.batch + first + i) * n.outputs
            copy(room, s.output + i * n.output_row, logits, target, n.outputs)
    restore(mode)


@compiled
def controller_step(
    n: Layout, weights: Any, inputs: Any, kept: Any, step: int, first: int, count: int
) -> None:
    """From the inputs and the last answer to the controller's output and the interface."""
    own = n.read_width
    for i in range(count):
        before, now = record_of(n, step, first + i), record_of(n, step + 1, first + i)
        copy(inputs, (step * n.batch + first + i) * n.inputs, kept, now + n.seen, n.inputs)
        copy(kept, before + n.answer, kept, now + n.seen + n.inputs, n.read_width + n.units)
        kept[now + n.seen + n.seen_width - 1] = 1
    start = record_of(n, step + 1, first)
    multiply(
        kept, start + n.seen, n.record, 1,
        weights, n.pack_gates, n.lanes * n.seen_width, n.lanes,
        kept, start + n.gates, n.record,
        count, n.gate_row // n.lanes, n.seen_width, False,
    )  # fmt: skip
    for i in range(count):
        before, now = record_of(n, step, first + i), record_of(n, step + 1, first + i)
        hidden = now + n.answer + own
        lstm_forward(kept, now + n.gates, before + n.cell, now + n.cell, hidden, n.units)
        kept[hidden + n.units] = 1
    multiply(
        kept, start + n.answer + own, n.record, 1,
        weights, n.pack_interface, n.lanes * (n.units + 1), n.lanes,
        kept, start + n.interface, n.record,
        count, n.number_row // n.lanes, n.units + 1, False,
    )  # fmt: skip


@compiled
def memory_step(
    n: Layout, s: Scratch, kept: Any, room: Any, step: int, sequence: int, memory: int, links: int
) -> None:
    """One sequence: free, allocate, write, link, read."""
    before, now = record_of(n, step, sequence), record_of(n, step + 1, sequence)
    interface = now + n.interface
    if n.keep and step % n.interval == 0:
        to = kept_memory(n, step, sequence)
        copy_vectors(room, memory, kept, to, n.memory_size)
        copy_vectors(room, links, kept, to + n.memory_size, n.links_size)
    activate(n, kept, interface)
    retain(n, s, kept, before, now, room)
    use(n, s, kept, before, now, room)
    place = now + n.likeness + n.heads * n.slot_row
    look_up(
        n, s, kept, interface + n.write_key, interface + n.write_mask,
        interface + n.write_strength, place, room, memory,
    )  # fmt: skip
    take_usage(n, s, kept, now, room)
    put_in_order(n, s, kept, now, room)
    allocate(n, s, kept, now, room)
    choose_slots(n, s, kept, now, room)
    write(n, s, kept, now, room, memory, memory)
    follow(n, s, kept, before, now, room, links)
    precede(n, kept, before, now)
    for head in range(n.heads):
        key, mask = interface + head * n.words, interface + n.read_masks + head * n.words
        place = now + n.likeness + head * n.slot_row
        look_up(n, s, kept, key, mask, interface + n.read_strengths + head, place, room, memory)
    mix(n, kept, now)
    read(n, s, kept, now, room, memory)

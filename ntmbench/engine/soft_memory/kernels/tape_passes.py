"""Both passes of a network with tapes, over all steps of a block of sequences."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.activations import relu_backward, relu_forward
from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.rows import copy_vectors, fill
from ntmbench.engine.softmax import softmax

from .announced import soft_kernel
from .controller import (
    answer,
    answer_back,
    ask,
    ask_back,
    begin,
    see,
    see_back,
    seen_row,
    step_row,
)
from .layout import TAPE_ACTIONS, Sizes
from .memories import d_memory_at, kept_memory, memory_at
from .tape import move, move_back, read, write
from .writer import compose, compose_back


@soft_kernel
def run_forward(
    n: Sizes,
    layers: Any,
    packed: int,
    addresses: Any,
    like: Any,
    room_at: int,
    first: int,
    count: int,
) -> None:
    """Run sequences ``first`` to ``first + count``.

    Args:
        n: sizes and places.
        layers: the table of layers.
        packed: the numbers in the packed weights.
        addresses: of the inputs ``[T, B, in]``, the logits ``[T, B, out]``, which are filled, of
            ``kept``, filled with what the backward pass needs, of the packed weights, and of the
            cells that a jump takes ``[T, B]``.
        like: an array of the type of the numbers.
        room_at: address of room to work in.
        first: the block's first sequence.
        count: its number of sequences.
    """
    mode = flush_denormals()
    rows = n.steps * n.batch
    inputs = at_address(like, addresses[0], rows * n.inputs)
    logits = at_address(like, addresses[1], rows * n.outputs)
    kept = at_address(like, addresses[2], n.kept)
    weights = at_address(like, addresses[3], packed)
    jumps = at_address(like, addresses[4], rows)
    room = at_address(like, room_at, n.room)
    fill(room, n.memories_at, count * n.memory_size, n.empty)
    begin(n, kept, first, count)
    for step in range(n.steps):
        see(n, layers, weights, inputs, kept, step, first, count)
        for i in range(count):
            hidden = seen_row(n, step + 1, first + i) + n.at_hidden
            relu_forward(kept, hidden, kept, hidden, n.units)
        ask(n, layers, weights, kept, step, first, count)
        compose(n, layers, weights, kept, step, first, count)
        for i in range(count):
            sequence = first + i
            asked = step_row(n, n.at_asked, step, sequence, n.asked_row)
            old = memory_at(n, step & 1, i, count)
            new = memory_at(n, (step + 1) & 1, i, count)
            if n.keep and step % n.interval == 0:
                to = kept_memory(n, step, sequence)
                copy_vectors(room, old, kept, to, n.memory_size)
            for tape in range(n.memories):
                softmax(kept, asked + tape * TAPE_ACTIONS, TAPE_ACTIONS)
            write(n, kept, step_row(n, n.at_written, step, sequence, n.head_row), room, old)
            move(n, kept, asked, room, old, new, jump_of(n, jumps, step, sequence))
            read(n, room, new, kept, seen_row(n, step + 1, sequence) + n.inputs)
        answer(n, layers, weights, kept, room, logits, step, first, count)
    restore(mode)


@soft_kernel
def run_backward(
    n: Sizes,
    layers: Any,
    packed: int,
    addresses: Any,
    like: Any,
    room_at: int,
    first: int,
    count: int,
) -> None:
    """Take sequences ``first`` to ``first + count`` back, down to the gradients of all sums.

    Args:
        n: sizes and places.
        layers: the table of layers.
        packed: the numbers in the packed weights.
        addresses: of the gradient of the logits ``[T, B, out]``, of ``kept``, of the weights
            packed for the backward pass, and of the cells that a jump takes ``[T, B]``.
        like: an array of the type of the numbers.
        room_at: address of room to work in.
        first: the block's first sequence.
        count: its number of sequences.
    """
    mode = flush_denormals()
    rows = n.steps * n.batch
    d_logits = at_address(like, addresses[0], rows * n.outputs)
    kept = at_address(like, addresses[1], n.kept)
    weights = at_address(like, addresses[2], packed)
    jumps = at_address(like, addresses[3], rows)
    room = at_address(like, room_at, n.room)
    fill(room, n.d_memories_at, 2 * count * n.memory_size, 0.0)
    fill(room, n.d_row_at, count * n.d_row, 0.0)
    for start in range((n.steps - 1) // n.interval * n.interval, -1, -n.interval):
        end = min(start + n.interval, n.steps)
        recall(n, kept, jumps, room, start, end, first, count)
        for step in range(end - 1, start - 1, -1):
            answer_back(n, layers, weights, d_logits, room, step, first, count)
            for i in range(count):
                sequence = first + i
                move_back(
                    n, kept, step_row(n, n.at_asked, step, sequence, n.asked_row),
                    step_row(n, n.at_written, step, sequence, n.head_row), room,
                    memory_at(n, step - start, i, count),
                    d_memory_at(n, (step + 1) & 1, i, count), d_memory_at(n, step & 1, i, count),
                    n.d_row_at + i * n.d_row, jump_of(n, jumps, step, sequence),
                )  # fmt: skip
            compose_back(n, layers, weights, kept, room, step, first, count)
            ask_back(n, layers, weights, kept, room, step, first, count)
            for i in range(count):
                relu_backward(
                    kept, seen_row(n, step + 1, first + i) + n.at_hidden,
                    room, n.d_row_at + i * n.d_row + n.heads,
                    kept, step_row(n, n.at_slopes, step, first + i, n.unit_row), n.units,
                )  # fmt: skip
            see_back(n, layers, weights, kept, room, step, first, count)
    restore(mode)


@compiled
def jump_of(n: Sizes, jumps: Any, step: int, sequence: int) -> int:
    """The cells that a jump takes, less whole rounds of the ring."""
    return int(jumps[step * n.batch + sequence]) % n.cells


@compiled
def recall(
    n: Sizes, kept: Any, jumps: Any, room: Any, start: int, end: int, first: int, count: int
) -> None:
    """Compute the tapes that each step from ``start`` to ``end`` moved, after writing, again."""
    for i in range(count):
        sequence = first + i
        old = memory_at(n, 0, i, count)
        copy_vectors(kept, kept_memory(n, start, sequence), room, old, n.memory_size)
        for step in range(start, end):
            write(n, kept, step_row(n, n.at_written, step, sequence, n.head_row), room, old)
            if step + 1 < end:
                new = memory_at(n, step + 1 - start, i, count)
                asked = step_row(n, n.at_asked, step, sequence, n.asked_row)
                move(n, kept, asked, room, old, new, jump_of(n, jumps, step, sequence))
                old = new

"""Both passes of a network with stacks, over all steps of a block of sequences."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.activations import sigmoid_backward, sigmoid_forward
from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.rows import copy_vectors, fill

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
from .layout import Sizes
from .memories import d_memory_at, kept_memory, memory_at
from .stack import activate, complete, move, move_back, read


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
            ``kept``, filled with what the backward pass needs, and of the packed weights.
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
    room = at_address(like, room_at, n.room)
    begin(n, kept, first, count)
    for step in range(n.steps):
        see(n, layers, weights, inputs, kept, step, first, count)
        for i in range(count):
            sigmoid_forward(kept, seen_row(n, step + 1, first + i) + n.at_hidden, n.units)
        ask(n, layers, weights, kept, step, first, count)
        for i in range(count):
            asked = step_row(n, n.at_asked, step, first + i, n.asked_row)
            old = memory_at(n, step & 1, i, count)
            new = memory_at(n, (step + 1) & 1, i, count)
            if n.keep and step % n.interval == 0:
                to = kept_memory(n, step, first + i)
                copy_vectors(room, old, kept, to, n.memory_size)
            activate(n, kept, asked)
            complete(n, kept, asked, room, old, step)
            move(n, kept, asked, room, old, new, step)
            read(n, room, new, kept, seen_row(n, step + 1, first + i) + n.inputs)
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
        addresses: of the gradient of the logits ``[T, B, out]``, of ``kept``, and of the weights
            packed for the backward pass.
        like: an array of the type of the numbers.
        room_at: address of room to work in.
        first: the block's first sequence.
        count: its number of sequences.
    """
    mode = flush_denormals()
    d_logits = at_address(like, addresses[0], n.steps * n.batch * n.outputs)
    kept = at_address(like, addresses[1], n.kept)
    weights = at_address(like, addresses[2], packed)
    room = at_address(like, room_at, n.room)
    fill(room, n.d_memories_at, 2 * count * n.memory_size, 0.0)
    fill(room, n.d_row_at, count * n.d_row, 0.0)
    for start in range((n.steps - 1) // n.interval * n.interval, -1, -n.interval):
        end = min(start + n.interval, n.steps)
        recall(n, kept, room, start, end, first, count)
        for step in range(end - 1, start - 1, -1):
            answer_back(n, layers, weights, d_logits, room, step, first, count)
            for i in range(count):
                asked = step_row(n, n.at_asked, step, first + i, n.asked_row)
                move_back(
                    n, kept, asked, room, memory_at(n, step - start, i, count),
                    d_memory_at(n, (step + 1) & 1, i, count), d_memory_at(n, step & 1, i, count),
                    n.d_row_at + i * n.d_row, step,
                )  # fmt: skip
            ask_back(n, layers, weights, kept, room, step, first, count)
            for i in range(count):
                sigmoid_backward(
                    kept, seen_row(n, step + 1, first + i) + n.at_hidden,
                    room, n.d_row_at + i * n.d_row + n.heads,
                    kept, step_row(n, n.at_slopes, step, first + i, n.unit_row), n.units,
                )  # fmt: skip
            see_back(n, layers, weights, kept, room, step, first, count)
    restore(mode)


@compiled
def recall(n: Sizes, kept: Any, room: Any, start: int, end: int, first: int, count: int) -> None:
    """Compute the stacks that each step from ``start`` to ``end`` found again."""
    for i in range(count):
        old = memory_at(n, 0, i, count)
        copy_vectors(kept, kept_memory(n, start, first + i), room, old, n.memory_size)
        for step in range(start, end):
            asked = step_row(n, n.at_asked, step, first + i, n.asked_row)
            complete(n, kept, asked, room, old, step)
            if step + 1 < end:
                new = memory_at(n, step + 1 - start, i, count)
                move(n, kept, asked, room, old, new, step)
                old = new

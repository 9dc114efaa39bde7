"""Sizes, and the place of everything in the flat arrays of the kernels.

Flat arrays of float32: ``packed`` (the weights, in the order of the products), ``kept`` (what a
forward pass keeps for the backward pass), and for each worker a ``room``.

``kept`` holds a row for each step and sequence, ``[x, cells under the heads, h, 1]``: what the step
sees, of which the step before left all but x. So the hidden layer sees a whole row, other layers
see ``[h, 1]`` of the next one, and the answer sees that, with or without the cells.
"""

from __future__ import annotations

from typing import NamedTuple

from ntmbench.engine.places import Room, kept_interval, padded
from ntmbench.engine.processor import FLOAT_LANES

#: Soft actions: push, pop, stay; and stay, left, right, jump left, jump right.
STACK_ACTIONS, TAPE_ACTIONS = 3, 5


class Problem(NamedTuple):
    """What is to be computed."""

    steps: int
    batch: int
    inputs: int
    outputs: int
    units: int
    memories: int  # stacks or tapes
    cell: int  # numbers in a cell
    cells: int  # of each memory
    empty: int  # what each cell holds before it is written
    writer: int  # units of the writer's layers; 0 for a stack, which has none
    training: bool


class Sizes(NamedTuple):
    """Numbers that the kernels read, and places in ``kept`` and in their room."""

    steps: int
    batch: int
    inputs: int
    outputs: int
    units: int
    memories: int
    cell: int
    cells: int
    empty: int
    writer: int
    heads: int  # numbers under all heads
    asked: int  # numbers that h is mapped to: actions, then what is pushed or the writer's units
    keep: int  # 1 if every step is kept, 0 if only the last one is
    mask: int  # of a step's number, to find its row: two rows take turns if no other is kept
    interval: int  # steps from one memory that is kept to the next
    # Rows, and places in them.
    row: int
    at_hidden: int
    at_answered: int  # the first number of a row that the answer sees
    asked_row: int
    unit_row: int
    writer_row: int
    head_row: int
    output_row: int
    memory_row: int  # one stack or tape
    memory_size: int  # all of a sequence
    # Places in ``kept``.
    at_rows: int
    at_asked: int  # the backward pass replaces it, and ``at_written``, by gradients
    at_slopes: int  # gradients of the hidden layer's sums
    at_first: int  # [the writer's first layer, 1]
    at_second: int  # [the writer's second layer, 1]
    at_second_slopes: int
    at_written: int
    at_memories: int
    kept: int
    # Places in the room.
    memories_at: int
    d_memories_at: int
    d_row_at: int  # gradients of [cells under the heads, h], for each sequence
    d_writer_at: int
    slopes_at: int
    output_at: int
    d_row: int
    room: int


def memory_row_of(p: Problem) -> int:
    """Room for one memory, in whole vectors and with one to spare.

    A stack has a cell before its top, and two below its bottom; a tape stands there twice.
    """
    count = 2 * p.cells if p.writer else p.cells + 3
    return padded(count * p.cell, FLOAT_LANES) + FLOAT_LANES


def make_sizes(p: Problem, sequences: int, backward: bool) -> Sizes:
    """Lay out ``kept``, and a room for so many sequences."""
    actions = TAPE_ACTIONS if p.writer else STACK_ACTIONS
    heads = p.memories * p.cell
    asked = p.memories * actions + (p.writer or heads)
    at_hidden = p.inputs + heads
    unit_row = padded(p.units, FLOAT_LANES)
    # Products fill whole vectors; the 1 behind is set afterwards.
    row = padded(max(at_hidden + unit_row, at_hidden + p.units + 1), FLOAT_LANES)
    asked_row, head_row = padded(asked, FLOAT_LANES), padded(heads, FLOAT_LANES)
    writer_row = padded(p.writer + 1, FLOAT_LANES) if p.writer else 0
    output_row, memory_row = padded(p.outputs, FLOAT_LANES), memory_row_of(p)
    memory_size = p.memories * memory_row
    interval = kept_interval(p.steps)

    steps = p.steps if p.training else 1
    kept = Room()
    kept_places = {
        "at_rows": kept.take((steps + 1) * p.batch * row),
        "at_asked": kept.take(steps * p.batch * asked_row),
        "at_slopes": kept.take(p.training * steps * p.batch * unit_row),
        "at_first": kept.take(steps * p.batch * writer_row),
        "at_second": kept.take(steps * p.batch * writer_row),
        "at_second_slopes": kept.take(p.training * steps * p.batch * writer_row),
        "at_written": kept.take(bool(p.writer) * steps * p.batch * head_row),
        "at_memories": kept.take(p.training * -(-p.steps // interval) * p.batch * memory_size),
    }
    d_row = padded(heads + unit_row, FLOAT_LANES)
    room = Room()
    room_places = {
        "memories_at": room.take((interval if backward else 2) * sequences * memory_size),
        "d_memories_at": room.take(2 * backward * sequences * memory_size),
        "d_row_at": room.take(backward * sequences * d_row),
        "d_writer_at": room.take(backward * sequences * writer_row),
        "slopes_at": room.take(FLOAT_LANES),
        "output_at": room.take(sequences * output_row),
    }
    return Sizes(
        **{name: int(number) for name, number in p._asdict().items() if name != "training"},
        heads=heads,
        asked=asked,
        keep=int(p.training),
        mask=-1 if p.training else 1,
        interval=interval,
        row=row,
        at_hidden=at_hidden,
        at_answered=at_hidden if p.writer else p.inputs,
        asked_row=asked_row,
        unit_row=unit_row,
        writer_row=writer_row,
        head_row=head_row,
        output_row=output_row,
        memory_row=memory_row,
        memory_size=memory_size,
        **kept_places,
        kept=kept.size,
        **room_places,
        d_row=d_row,
        room=room.size,
    )

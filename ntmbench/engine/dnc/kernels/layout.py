"""The place of everything in the flat arrays that the kernels work on.

Flat arrays of one floating-point type: the packed weights, ``kept`` and, for each worker, a
``room``. ``kept`` holds a record of each step and sequence, then memories and links of some steps.
Record 0 of a sequence stands for what was before its first step, all zero. A pass that keeps
nothing for a backward pass uses two records in turn.

Rows are padded to whole vectors. A memory is stored word by word, ``[W, N]``, so that vectors run
over slots; links are ``[N, N]``, both axes padded. What is added beyond N is zero.

Numbers in ``kept`` for each step and sequence, without the padding::

    in + 2 (R W + C + 1) + 5 C + interface + N (6 + 5 R) + (N^2 + N W) / ceil(sqrt(T))

and ``2 N R`` more where links are sharpened.
"""

from __future__ import annotations

from typing import NamedTuple

from ntmbench.engine.dnc.shape import Shape
from ntmbench.engine.places import Room, kept_interval, padded

#: Bytes of a page: loads and stores that are whole pages apart wait for each other.
_PAGE = 4096


class Layout(NamedTuple):
    """Sizes, strides and offsets, counted in numbers."""

    steps: int
    batch: int
    inputs: int
    outputs: int
    units: int
    slots: int
    words: int
    heads: int
    masked: int
    frees: int
    sharpens: int
    keep: int  # whether there will be a backward pass
    interval: int  # steps between two kept memories
    lanes: int
    slot_row: int  # N, padded
    read_width: int  # R * W
    seen_width: int  # [x, reads, h, 1]
    answer_width: int  # [reads, h, 1]
    gate_row: int
    number_row: int
    output_row: int
    memory_size: int
    links_size: int
    # Positions in a row of the interface; read keys first, at 0.
    numbers: int  # how many there are
    read_strengths: int
    modes: int
    free: int
    write_key: int
    write_strength: int
    erase: int
    vector: int
    allocation_gate: int
    write_gate: int
    read_masks: int
    write_mask: int
    sharpness: int
    # Positions in a record.
    seen: int
    answer: int
    gates: int
    cell: int
    interface: int
    usage: int
    order: int  # the slots by ascending usage
    write: int
    precedence: int
    likeness: int  # R + 1 rows; the write head's comes last, here and in content
    content: int
    read: int
    forward: int
    backward: int
    sharp_forward: int  # the same as forward where links are not sharpened
    sharp_backward: int
    record: int  # size of a record
    # Positions in ``kept``.
    at_memories: int
    kept: int
    # Positions in the packed weights: for the forward pass, ...
    pack_gates: int
    pack_interface: int
    pack_output: int
    packed: int
    # ... and for the backward pass.
    back_gates: int
    back_interface: int
    back_output: int
    back_packed: int
    parameter_rows: int  # rows of all weights


class Problem(NamedTuple):
    """What decides a layout."""

    shape: Shape
    steps: int
    batch: int
    keep: bool
    lanes: int


def make_layout(p: Problem) -> Layout:
    """The layout of a forward pass and, if it keeps what that needs, of its backward pass."""
    s = p.shape

    def row(count: int) -> int:
        return padded(count, p.lanes)

    slot_row, read_width = row(s.slots), s.heads * s.words
    interface = Room()
    interface.take(read_width)
    numbers = {
        "read_strengths": interface.take(s.heads),
        "modes": interface.take(3 * s.heads),
        "free": interface.take(s.heads),
        "write_key": interface.take(s.words),
        "write_strength": interface.take(1),
        "erase": interface.take(s.words),
        "vector": interface.take(s.words),
        "allocation_gate": interface.take(1),
        "write_gate": interface.take(1),
        "read_masks": interface.take(s.masked * read_width),
        "write_mask": interface.take(s.masked * s.words),
        "sharpness": interface.take(s.sharpens * 2 * s.heads),
    }
    seen_width = s.inputs + read_width + s.units + 1
    answer_width = read_width + s.units + 1
    gate_row, number_row, output_row = row(4 * s.units), row(interface.size), row(s.outputs)

    record = Room()
    fields = {
        "seen": record.take(row(seen_width)),
        "answer": record.take(row(answer_width)),
        "gates": record.take(gate_row),
        "cell": record.take(row(s.units)),
        "interface": record.take(number_row),
        **{name: record.take(slot_row) for name in ("usage", "order", "write", "precedence")},
        **{name: record.take((s.heads + 1) * slot_row) for name in ("likeness", "content")},
        **{name: record.take(s.heads * slot_row) for name in ("read", "forward", "backward")},
    }
    if s.sharpens:
        fields["sharp_forward"] = record.take(s.heads * slot_row)
        fields["sharp_backward"] = record.take(s.heads * slot_row)
    else:
        fields["sharp_forward"] = fields["forward"]
        fields["sharp_backward"] = fields["backward"]

    interval = kept_interval(p.steps)
    memory_size, links_size = s.words * slot_row, slot_row * slot_row
    kept = Room()
    kept.take((p.steps + 1 if p.keep else 2) * p.batch * record.size)
    memories = -(-p.steps // interval) if p.keep else 0
    at_memories = kept.take(memories * p.batch * (memory_size + links_size))

    packed = Room()
    packs = {
        "pack_gates": packed.take(gate_row * seen_width),
        "pack_interface": packed.take(number_row * (s.units + 1)),
        "pack_output": packed.take(output_row * answer_width),
    }
    back = Room()
    backs = {
        "back_gates": back.take(row(read_width + s.units) * 4 * s.units),
        "back_interface": back.take(row(s.units) * interface.size),
        "back_output": back.take(row(read_width + s.units) * s.outputs),
    }
    return Layout(
        steps=p.steps,
        batch=p.batch,
        inputs=s.inputs,
        outputs=s.outputs,
        units=s.units,
        slots=s.slots,
        words=s.words,
        heads=s.heads,
        masked=int(s.masked),
        frees=int(s.frees),
        sharpens=int(s.sharpens),
        keep=int(p.keep),
        interval=interval,
        lanes=p.lanes,
        slot_row=slot_row,
        read_width=read_width,
        seen_width=seen_width,
        answer_width=answer_width,
        gate_row=gate_row,
        number_row=number_row,
        output_row=output_row,
        memory_size=memory_size,
        links_size=links_size,
        numbers=interface.size,
        **numbers,
        **fields,
        record=record.size,
        at_memories=at_memories,
        kept=kept.size,
        **packs,
        packed=packed.size,
        **backs,
        back_packed=back.size,
        parameter_rows=4 * s.units + interface.size + s.outputs,
    )


class Scratch(NamedTuple):
    """Offsets into the room of one block of sequences."""

    # Once for the block: work on one sequence.
    padding: int  # zero for each slot, and lower than any number beyond them
    retention: int
    used: int  # usages as the allocation takes them
    ranks: int
    allocated: int
    query: int  # what a look-up compares with, and the squares of its mask
    squares: int
    sums: int
    other_sums: int
    output: int  # a row of logits for each sequence
    # In the backward pass, gradients, and what belongs to them.
    d_numbers: int
    d_query: int
    d_squares: int
    d_write: int
    d_weighting: int
    d_allocated: int
    d_retention: int
    d_dots: int
    pulls: int
    columns: int
    followed: int
    head_sums: int  # a vector for each head
    left: int  # [df, w^r of before]: their products are the gradient of the links
    right: int  # [w^r of before, db]
    # For each sequence, ``own`` apart: gradients that are carried from step to step, then
    # memories and links of as many steps as are worked out again at once, and one more.
    first_own: int
    d_answer: int
    d_cell: int
    d_read: int
    d_written: int
    d_usage: int
    d_precedence: int
    d_memory: int
    d_links: int
    carried: int  # size of all these gradients
    memory: int
    links: int
    own: int
    size: int


def make_scratch(n: Layout, sequences: int, backward: bool) -> Scratch:
    """The room of a block of ``sequences`` sequences."""
    wide, slots = n.lanes, n.slot_row
    room = Room()
    take = room.take
    shared = {
        **{name: take(slots) for name in ("padding", "retention", "used", "ranks", "allocated")},
        **{name: take(padded(n.words, wide)) for name in ("query", "squares")},
        **{name: take(wide * wide) for name in ("sums", "other_sums")},
        "output": take(sequences * n.output_row),
    }
    back = int(backward)
    gradients = {
        "d_numbers": take(back * n.number_row),
        **{name: take(back * padded(n.words, wide)) for name in ("d_query", "d_squares")},
        **{
            name: take(back * slots)
            for name in (
                "d_write", "d_weighting", "d_allocated", "d_retention",
                "d_dots", "pulls", "columns", "followed",
            )
        },
        "head_sums": take(back * n.heads * wide),
        **{name: take(back * 2 * n.heads * slots) for name in ("left", "right")},
    }  # fmt: skip
    own = Room()
    d_answer_row = padded(n.read_width, wide) + padded(n.units, wide) + wide
    carried = {
        "d_answer": own.take(back * d_answer_row),
        "d_cell": own.take(back * padded(n.units, wide)),
        "d_read": own.take(back * n.heads * slots),
        **{name: own.take(back * slots) for name in ("d_written", "d_usage", "d_precedence")},
        "d_memory": own.take(back * n.memory_size),
        "d_links": own.take(back * n.links_size),
    }
    states = n.interval + 1 if backward else 1
    sizes = {"carried": own.size, "memory": own.take(states * n.memory_size)}
    # If links and their gradient are whole pages apart, loads of the one wait for stores to the
    # other.
    page = _PAGE * wide // 64
    own.take((carried["d_links"] + page // 4 - own.size) % page)
    sizes["links"] = own.take(states * n.links_size)
    sizes["own"] = own.size
    return Scratch(
        **shared,
        **gradients,
        first_own=room.size,
        **carried,
        **sizes,
        size=room.size + sequences * own.size,
    )

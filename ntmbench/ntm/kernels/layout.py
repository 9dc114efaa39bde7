"""The place of everything in the flat arrays that the kernels work on.

Flat arrays of one floating-point type: ``packed`` (the weights, in the order of the products),
``kept`` (what a forward pass keeps for the backward pass), and for each worker a ``scratch``. Rows
are padded to whole vectors; the memory is stored word by word, ``[M, N]``, so that vectors run
over slots.

Sizes: T steps, B sequences, N slots of M numbers, R read and W write heads, H = R + W, S shifts,
C controller units in each of L layers. A layer's row holds what it sees and a constant 1 for its
bias: ``[x, r, h, 1]`` for the first layer, ``[h of the layer below, h, 1]`` for others, without
the own ``h`` in a feedforward controller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ntmbench.engine.places import Room, padded
from ntmbench.engine.processor import VECTOR_BITS

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings


class Layout(NamedTuple):
    """Sizes, strides and offsets, counted in numbers. Offsets into ``kept`` begin with ``at_``."""

    steps: int
    batch: int
    inputs: int
    outputs: int
    slots: int
    first_rows: int  # of the first memory, which the slots repeat
    words: int
    key_words: int  # words of a slot that are compared with a key
    reads: int
    writes: int
    heads: int
    first_write: int  # the head that is the first write head
    shifts: int
    units: int
    layers: int
    recurrent: int  # 1 for an LSTM, 0 for a feedforward controller
    lanes: int
    slot_row: int  # N, padded
    read_width: int  # R * M
    gates: int  # outputs of a layer's product: 4 C for an LSTM, C otherwise
    gate_row: int
    unit_row: int
    head_numbers: int
    head_row: int
    output_row: int
    # What the layers see, the 1 included, and the rows that hold it.
    first_width: int
    first_row: int
    later_width: int
    later_row: int
    # [r, h, 1] of the top layer: what heads and output see.
    answer_row: int
    # Positions in a row of head outputs: keys first, at 0.
    add: int
    gate: int
    erase: int
    strength: int
    sharpening: int
    shift: int
    # Numbers between a step and the next in ``kept``: zero where only the present step is kept.
    keep: int
    # Steps between two kept memories.
    interval: int
    at_first: int
    at_later: int
    at_answers: int
    at_gates: int
    at_cells: int
    at_heads: int
    at_weightings: int
    at_similarity: int
    at_memory: int
    kept: int  # size of ``kept``
    # Offsets into ``weights``: for the forward pass, ...
    pack_first: int
    pack_later: int
    pack_heads: int
    pack_output: int
    pack_memory: int
    pack_weightings: int
    packed: int  # size of ``weights`` for the forward pass
    # ... and for the backward pass.
    back_first: int
    back_later: int
    back_heads: int
    back_output_reads: int
    back_output_units: int
    back_packed: int
    start_row: int  # gradients of what stood before the first step, for one sequence
    parameter_rows: int  # rows of all weights


@dataclass(frozen=True)
class Problem:
    """What decides a layout."""

    settings: NTMSettings
    inputs: int
    outputs: int
    slots: int
    steps: int
    batch: int
    training: bool
    interval: int
    lanes: int


def make_layout(p: Problem) -> Layout:
    """The layout of a forward pass and, if training, of its backward pass."""
    s = p.settings
    recurrent = int(s.controller == "lstm")
    heads, reads, writes, words = s.heads, s.read_heads, s.write_heads, s.word_size
    key_words = s.compared
    units, layers, lanes = s.controller_size, s.controller_layers, p.lanes

    def row(count: int) -> int:
        return padded(count, lanes)

    read_width = reads * words
    gates = 4 * units if recurrent else units
    add = heads * key_words
    gate = add + writes * words
    erase = gate + heads
    strength = erase + writes * words
    sharpening = strength + heads
    shift = sharpening + heads
    head_numbers = shift + heads * s.shift_width
    first_width = p.inputs + read_width + recurrent * units + 1
    later_width = units + recurrent * units + 1
    slot_row, gate_row, unit_row = row(p.slots), row(gates), row(units)
    head_row, output_row = row(head_numbers), row(p.outputs)
    first_row, later_row = row(first_width), row(later_width)
    answer_row = row(read_width + units + 1)

    steps = p.steps if p.training else 1
    after = p.steps + 1 if p.training else 1  # rows of what a step hands to the next
    memories = -(-(p.steps + 1) // p.interval) if p.training else 0
    later = layers - 1
    kept = Room()
    at_first = kept.take(after * p.batch * first_row)
    at_later = kept.take(later * after * p.batch * later_row)
    at_answers = kept.take(steps * p.batch * answer_row)
    at_gates = kept.take(layers * steps * p.batch * gate_row)
    at_cells = kept.take(recurrent * layers * after * p.batch * unit_row)
    at_heads = kept.take(steps * p.batch * head_row)
    at_weightings = kept.take(after * p.batch * heads * slot_row)
    at_similarity = kept.take(steps * p.batch * heads * slot_row)
    at_memory = kept.take(memories * p.batch * words * slot_row)

    packed = Room()
    pack_first = packed.take(gate_row * first_width)
    pack_later = packed.take(later * gate_row * later_width)
    pack_heads = packed.take(head_row * (units + 1))
    pack_output = packed.take(output_row * (read_width + units + 1))
    pack_memory = packed.take(words * slot_row)
    pack_weightings = packed.take(heads * slot_row)

    back = Room()
    back_first = back.take(row(read_width + recurrent * units) * gates)
    back_later = back.take(later * row(units + recurrent * units) * gates)
    back_heads = back.take(unit_row * head_numbers)
    back_output_reads = back.take(row(read_width) * p.outputs)
    back_output_units = back.take(unit_row * p.outputs)

    return Layout(
        steps=p.steps,
        batch=p.batch,
        first_rows=_first_rows(s, p.slots),
        inputs=p.inputs,
        outputs=p.outputs,
        slots=p.slots,
        words=words,
        key_words=key_words,
        reads=reads,
        writes=writes,
        heads=heads,
        first_write=s.first_write,
        shifts=s.shift_width,
        units=units,
        layers=layers,
        recurrent=recurrent,
        lanes=lanes,
        slot_row=slot_row,
        read_width=read_width,
        gates=gates,
        gate_row=gate_row,
        unit_row=unit_row,
        head_numbers=head_numbers,
        head_row=head_row,
        output_row=output_row,
        first_width=first_width,
        first_row=first_row,
        later_width=later_width,
        later_row=later_row,
        answer_row=answer_row,
        add=add,
        gate=gate,
        erase=erase,
        strength=strength,
        sharpening=sharpening,
        shift=shift,
        keep=int(p.training),
        interval=p.interval,
        at_first=at_first,
        at_later=at_later,
        at_answers=at_answers,
        at_gates=at_gates,
        at_cells=at_cells,
        at_heads=at_heads,
        at_weightings=at_weightings,
        at_similarity=at_similarity,
        at_memory=at_memory,
        kept=kept.size,
        pack_first=pack_first,
        pack_later=pack_later,
        pack_heads=pack_heads,
        pack_output=pack_output,
        pack_memory=pack_memory,
        pack_weightings=pack_weightings,
        packed=packed.size,
        back_first=back_first,
        back_later=back_later,
        back_heads=back_heads,
        back_output_reads=back_output_reads,
        back_output_units=back_output_units,
        back_packed=back.size,
        start_row=(words + heads) * slot_row + read_width + 2 * recurrent * layers * units,
        parameter_rows=layers * gates + head_numbers + p.outputs,
    )


def _first_rows(s: NTMSettings, slots: int) -> int:
    """The rows of the first memory, as ``NTM.first_rows`` gives them."""
    if s.initial_memory == "constant":
        return 1
    return slots if s.initial_memory == "code" else s.memory_slots


class Scratch(NamedTuple):
    """Offsets into the scratch array of one block of sequences."""

    # Once for the block: work on one head of one sequence.
    content: int
    ring: int
    shifted: int
    d_ring: int
    d_dots: int
    d_norms: int
    d_numbers: int  # gradients of the head outputs of one sequence, as in their row
    key_pull: int
    write_before: int
    write_sums: int
    # For each sequence, one after the other.
    output: int
    d_memory: int
    d_weightings: int
    d_cells: int
    d_first: int  # gradients of [r, h] in the first layer's row
    d_later: int  # and of [h below, h] in the others'
    # For each sequence of each step that is worked out again at once.
    norms: int
    memory: int
    # Rows of the above.
    d_first_row: int
    d_later_row: int
    size: int


def make_scratch(n: Layout, sequences: int, backward: bool) -> Scratch:
    """The scratch of a block of ``sequences`` sequences."""
    ring = padded(n.slot_row + 2 * n.shifts + 2 * n.lanes, n.lanes)
    size = n.words * n.slot_row
    steps = n.interval if backward else 1
    back = sequences if backward else 0
    d_first_row = padded(n.read_width, n.lanes) + n.unit_row
    d_later_row = 2 * n.unit_row
    room = Room()
    take = room.take
    places = {
        "content": take(n.slot_row),
        "ring": take(ring),
        "shifted": take(n.slot_row),
        "d_ring": take(ring),
        "d_dots": take(n.heads * n.slot_row),
        "d_norms": take(n.slot_row),
        "d_numbers": take(n.head_row),
        "key_pull": take(padded(n.heads, n.lanes)),
        "write_before": take(n.writes * n.lanes),
        "write_sums": take(2 * n.writes * n.lanes),
        "output": take(sequences * n.output_row),
        "d_memory": take(back * size),
        "d_weightings": take(back * n.heads * n.slot_row),
        "d_cells": take(back * n.layers * n.unit_row),
        "d_first": take(back * d_first_row),
        "d_later": take(back * (n.layers - 1) * d_later_row),
        "norms": take(steps * sequences * n.slot_row),
    }
    # If a memory and its gradient are whole pages apart, the processor takes a load from the one
    # to depend on a store to the other.
    page = 4096 * n.lanes * 8 // VECTOR_BITS
    take((places["d_memory"] + page // 4 - room.size) % page)
    return Scratch(
        **places,
        memory=take(steps * sequences * size),
        d_first_row=d_first_row,
        d_later_row=d_later_row,
        size=room.size,
    )

"""The backward pass of a block of sequences over all steps, down to the products' gradients."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.layers import lstm_backward, tanh_backward
from ntmbench.engine.matmul import multiply
from ntmbench.engine.rows import add_part, copy, copy_vectors, fill, fill_part

from .announced import ntm_kernel
from .forward import cell_row, gate_row, memory_row, step_row
from .heads import activate_backward
from .layout import Layout, Scratch
from .memory import content_backward, read_backward, write, write_backward
from .weightings import address_backward, blend_and_shift, inverse_norms


@ntm_kernel
def run_backward(
    n: Layout,
    s: Scratch,
    addresses: Any,
    like: Any,
    scratch_at: int,
    first: int,
    count: int,
) -> None:
    """Take sequences ``first`` to ``first + count`` back over all steps.

    Each gate and head output in ``kept`` is replaced by the gradient of the number that the
    controller gave for it.

    Args:
        n: sizes and places.
        s: places in the scratch.
        addresses: of the gradient of the logits ``[T, B, out]``, of ``kept``, of the weights packed
            for the backward pass and, 0 if nobody asks for it, of the room for the gradients of
            what stood before the first step, for each sequence: the memory ``[M, N]``, the
            weightings ``[H, N]``, both padded, the reads ``[R, M]`` and the layers' states
            ``[layers, states, C]``.
        like: an array of the type of the numbers.
        scratch_at: address of room to work in.
        first: the block's first sequence.
        count: its number of sequences.
    """
    d_logits = at_address(like, addresses[0], n.steps * n.batch * n.outputs)
    kept = at_address(like, addresses[1], n.kept)
    weights = at_address(like, addresses[2], n.back_packed)
    scratch = at_address(like, scratch_at, s.size)
    mode = flush_denormals()
    fill(scratch, s.d_memory, s.norms - s.d_memory, 0)
    top_row = s.d_later_row if n.layers > 1 else s.d_first_row
    for start in range((n.steps - 1) // n.interval * n.interval, -1, -n.interval):
        end = min(start + n.interval, n.steps)
        recall_memories(n, s, kept, scratch, start, end, first, count)
        for step in range(end - 1, start - 1, -1):
            answer_backward(n, s, weights, d_logits, scratch, step, first, count)
            for i in range(count):
                place = (step - start) * count + i
                memory_backward(n, s, kept, scratch, step, first, i, place)
            multiply(
                kept, step_row(n, n.at_heads, step, first, n.head_row), n.head_row, 1,
                weights, n.back_heads, n.lanes * n.head_numbers, n.lanes,
                scratch, d_output(n, s, n.layers - 1, count), top_row,
                count, n.unit_row // n.lanes, n.head_numbers, True,
            )  # fmt: skip
            controller_backward(n, s, weights, kept, scratch, step, first, count)
    if addresses[3] != 0:
        d_start = at_address(like, addresses[3], n.batch * n.start_row)
        for i in range(count):
            start_backward(n, s, scratch, d_start, first, count, i)
    restore(mode)


@compiled
def recall_memories(
    n: Layout,
    s: Scratch,
    kept: Any,
    scratch: Any,
    start: int,
    end: int,
    first: int,
    count: int,
) -> None:
    """Compute the memories before each step from ``start`` to ``end`` again."""
    size = n.words * n.slot_row
    for i in range(count):
        sequence = first + i
        memory = s.memory + i * size
        copy_vectors(kept, memory_row(n, start, sequence), scratch, memory, size)
        inverse_norms(n, scratch, memory, scratch, s.norms + i * n.slot_row)
        for step in range(start, end - 1):
            numbers = step_row(n, n.at_heads, step, sequence, n.head_row)
            weighting = step_row(n, n.at_weightings, step + 1, sequence, n.heads * n.slot_row)
            place = (step + 1 - start) * count + i
            target = s.memory + place * size
            norms = s.norms + place * n.slot_row
            write(n, kept, numbers, weighting, scratch, memory, target, norms)
            memory = target


@compiled
def d_output(n: Layout, s: Scratch, layer: int, count: int) -> int:
    """The place in ``scratch`` of a block's gradients of a layer's output."""
    if layer == 0:
        return s.d_first + n.read_width
    return s.d_later + (layer - 1) * count * s.d_later_row + n.units


@compiled
def answer_backward(
    n: Layout,
    s: Scratch,
    weights: Any,
    d_logits: Any,
    scratch: Any,
    step: int,
    first: int,
    count: int,
) -> None:
    """Add the gradients of a step's reads and top layer that come from its logits."""
    start = (step * n.batch + first) * n.outputs
    pitch = n.lanes * n.outputs
    multiply(
        d_logits, start, n.outputs, 1,
        weights, n.back_output_reads, pitch, n.lanes,
        scratch, s.d_first, s.d_first_row,
        count, -(-n.read_width // n.lanes), n.outputs, True,
    )  # fmt: skip
    row = s.d_later_row if n.layers > 1 else s.d_first_row
    multiply(
        d_logits, start, n.outputs, 1,
        weights, n.back_output_units, pitch, n.lanes,
        scratch, d_output(n, s, n.layers - 1, count), row,
        count, n.unit_row // n.lanes, n.outputs, True,
    )  # fmt: skip


@compiled
def memory_backward(
    n: Layout,
    s: Scratch,
    kept: Any,
    scratch: Any,
    step: int,
    first: int,
    i: int,
    place: int,
) -> None:
    """Heads of one sequence: back through write, read and addressing."""
    sequence = first + i
    size = n.words * n.slot_row
    memory = s.memory + place * size
    norms = s.norms + place * n.slot_row
    numbers = step_row(n, n.at_heads, step, sequence, n.head_row)
    similarity = step_row(n, n.at_similarity, step, sequence, n.heads * n.slot_row)
    previous = step_row(n, n.at_weightings, step, sequence, n.heads * n.slot_row)
    weighting = step_row(n, n.at_weightings, step + 1, sequence, n.heads * n.slot_row)
    d_memory = s.d_memory + i * size
    d_weightings = s.d_weightings + i * n.heads * n.slot_row
    d_reads = s.d_first + i * s.d_first_row

    read_backward(n, scratch, memory, d_reads, d_weightings)
    write_backward(n, s, kept, numbers, weighting, scratch, memory, d_memory, d_reads, d_weightings)
    fill(scratch, s.d_norms, n.slot_row, 0)
    for head in range(n.heads):
        at = head * n.slot_row
        blend_and_shift(n, s, kept, numbers, head, similarity + at, previous + at, scratch)
        address_backward(
            n, s, kept, numbers, head, similarity + at, previous + at, weighting + at, scratch,
            norms, d_weightings + at,
        )  # fmt: skip
    content_backward(n, s, kept, numbers, scratch, memory, d_memory)
    activate_backward(n, kept, numbers, scratch, s.d_numbers)


@compiled
def controller_backward(
    n: Layout,
    s: Scratch,
    weights: Any,
    kept: Any,
    scratch: Any,
    step: int,
    first: int,
    count: int,
) -> None:
    """All layers, from the top one's output to the reads and states of the step before."""
    for layer in range(n.layers - 1, -1, -1):
        if layer > 0:
            row = s.d_later_row
            start = s.d_later + (layer - 1) * count * row
            width = n.units + n.recurrent * n.units
            wide = -(-width // n.lanes)
            pack = n.back_later + (layer - 1) * wide * n.lanes * n.gates
        else:
            row = s.d_first_row
            start = s.d_first
            width = n.read_width + n.recurrent * n.units
            wide = -(-width // n.lanes)
            pack = n.back_first
        output = d_output(n, s, layer, count)
        for i in range(count):
            sequence = first + i
            gates = gate_row(n, layer, step, sequence)
            if n.recurrent:
                lstm_backward(
                    kept, gates, cell_row(n, layer, step, sequence),
                    cell_row(n, layer, step + 1, sequence), scratch, output + i * row,
                    s.d_cells + (layer * count + i) * n.unit_row, n.units,
                )  # fmt: skip
            else:
                tanh_backward(kept, gates, scratch, output + i * row, n.units)
                fill_part(scratch, output + i * row, n.units, 0)
        multiply(
            kept, gate_row(n, layer, step, first), n.gate_row, 1,
            weights, pack, n.lanes * n.gates, n.lanes,
            scratch, start, row,
            count, wide, n.gates, False,
        )  # fmt: skip
        if layer > 0:
            below = s.d_later_row if layer > 1 else s.d_first_row
            for i in range(count):
                target = d_output(n, s, layer - 1, count) + i * below
                add_part(scratch, start + i * row, scratch, target, n.units)


@compiled
def start_backward(
    n: Layout, s: Scratch, scratch: Any, d_start: Any, first: int, count: int, i: int
) -> None:
    """Write the gradients of the values before the first step."""
    sequence = first + i
    to = sequence * n.start_row
    size = n.words * n.slot_row
    copy_vectors(scratch, s.d_memory + i * size, d_start, to, size)
    to += size
    size = n.heads * n.slot_row
    copy_vectors(scratch, s.d_weightings + i * size, d_start, to, size)
    to += size
    copy(scratch, s.d_first + i * s.d_first_row, d_start, to, n.read_width)
    to += n.read_width
    if n.recurrent:
        for layer in range(n.layers):
            row = s.d_later_row if layer > 0 else s.d_first_row
            at = d_output(n, s, layer, count) + i * row
            copy(scratch, at, d_start, to, n.units)
            at = s.d_cells + (layer * count + i) * n.unit_row
            copy(scratch, at, d_start, to + n.units, n.units)
            to += 2 * n.units

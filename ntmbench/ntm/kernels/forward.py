"""The forward pass of a block of sequences over all steps."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.layers import lstm_forward, tanh_forward
from ntmbench.engine.matmul import multiply
from ntmbench.engine.rows import copy, copy_vectors

from .announced import ntm_kernel
from .heads import activate
from .layout import Layout, Scratch
from .memory import read, write
from .weightings import blend_and_shift, inverse_norms, sharpen, similarities


@compiled
def layer_row(n: Layout, layer: int, step: int, sequence: int) -> int:
    """The place in ``kept`` of a layer's input at a step."""
    if layer == 0:
        return n.at_first + (n.keep * step * n.batch + sequence) * n.first_row
    rows = n.batch * (n.keep * n.steps + 1)
    at = (layer - 1) * rows + n.keep * step * n.batch + sequence
    return n.at_later + at * n.later_row


@compiled
def own_output(n: Layout, layer: int) -> int:
    """The place of a recurrent layer's own last output in its row."""
    return n.units if layer > 0 else n.inputs + n.read_width


@compiled
def cell_row(n: Layout, layer: int, step: int, sequence: int) -> int:
    """The place in ``kept`` of a layer's cell before a step."""
    rows = n.batch * (n.keep * n.steps + 1)
    return n.at_cells + (layer * rows + n.keep * step * n.batch + sequence) * n.unit_row


@compiled
def gate_row(n: Layout, layer: int, step: int, sequence: int) -> int:
    """The place in ``kept`` of a layer's gates."""
    rows = n.batch * (n.keep * (n.steps - 1) + 1)
    return n.at_gates + (layer * rows + n.keep * step * n.batch + sequence) * n.gate_row


@compiled
def step_row(n: Layout, start: int, step: int, sequence: int, row: int) -> int:
    """The place in ``kept`` of a row that each step and sequence has."""
    return start + (n.keep * step * n.batch + sequence) * row


@compiled
def memory_row(n: Layout, step: int, sequence: int) -> int:
    """The place in ``kept`` of the memory before a step that is a multiple of the interval."""
    return n.at_memory + (step // n.interval * n.batch + sequence) * n.words * n.slot_row


@ntm_kernel
def run_forward(
    n: Layout,
    s: Scratch,
    addresses: Any,
    like: Any,
    scratch_at: int,
    first: int,
    count: int,
) -> None:
    """Run sequences ``first`` to ``first + count`` over all steps.

    Args:
        n: sizes and places.
        s: places in the scratch.
        addresses: of the inputs ``[T, B, in]``, the logits ``[T, B, out]``, which are filled, of
            ``kept``, filled with what the backward pass needs, of the packed weights, of the first
            states ``[layers, states, C]`` and of the first reads ``[R, M]``.
        like: an array of the type of the numbers.
        scratch_at: address of room to work in.
        first: the block's first sequence.
        count: its number of sequences.
    """
    rows = n.steps * n.batch
    inputs = at_address(like, addresses[0], rows * n.inputs)
    logits = at_address(like, addresses[1], rows * n.outputs)
    kept = at_address(like, addresses[2], n.kept)
    weights = at_address(like, addresses[3], n.packed)
    states = at_address(like, addresses[4], 2 * n.layers * n.units)
    reads = at_address(like, addresses[5], n.read_width)
    scratch = at_address(like, scratch_at, s.size)
    mode = flush_denormals()
    begin(n, s, weights, states, reads, kept, scratch, first, count)
    for step in range(n.steps):
        controller_step(n, weights, inputs, kept, step, first, count)
        heads_at = step_row(n, n.at_heads, step, first, n.head_row)
        answers = step_row(n, n.at_answers, step, first, n.answer_row)
        multiply(
            kept, answers + n.read_width, n.answer_row, 1,
            weights, n.pack_heads, n.lanes * (n.units + 1), n.lanes,
            kept, heads_at, n.head_row,
            count, n.head_row // n.lanes, n.units + 1, False,
        )  # fmt: skip
        for i in range(count):
            memory_step(n, s, kept, scratch, step, first, i)
        width = n.read_width + n.units + 1
        multiply(
            kept, answers, n.answer_row, 1,
            weights, n.pack_output, n.lanes * width, n.lanes,
            scratch, s.output, n.output_row,
            count, n.output_row // n.lanes, width, False,
        )  # fmt: skip
        for i in range(count):
            target = (step * n.batch + first + i) * n.outputs
            copy(scratch, s.output + i * n.output_row, logits, target, n.outputs)
    if n.keep and n.steps % n.interval == 0:
        keep_memory(n, s, kept, scratch, n.steps, first, count)
    restore(mode)


@compiled
def begin(
    n: Layout,
    s: Scratch,
    weights: Any,
    states: Any,
    reads: Any,
    kept: Any,
    scratch: Any,
    first: int,
    count: int,
) -> None:
    """Set the values before the first step."""
    size = n.words * n.slot_row
    for i in range(count):
        sequence = first + i
        copy_vectors(weights, n.pack_memory, scratch, s.memory + i * size, size)
        inverse_norms(n, scratch, s.memory + i * size, scratch, s.norms + i * n.slot_row)
        weighting = step_row(n, n.at_weightings, 0, sequence, n.heads * n.slot_row)
        copy_vectors(weights, n.pack_weightings, kept, weighting, n.heads * n.slot_row)
        row = layer_row(n, 0, 0, sequence)
        copy(reads, 0, kept, row + n.inputs, n.read_width)
        if n.recurrent:
            for layer in range(n.layers):
                state = 2 * layer * n.units
                row = layer_row(n, layer, 0, sequence) + own_output(n, layer)
                copy(states, state, kept, row, n.units)
                copy(
                    states,
                    state + n.units,
                    kept,
                    cell_row(n, layer, 0, sequence),
                    n.units,
                )


@compiled
def controller_step(
    n: Layout, weights: Any, inputs: Any, kept: Any, step: int, first: int, count: int
) -> None:
    """All layers, from the inputs and the last reads to the row of answers."""
    for i in range(count):
        sequence = first + i
        row = layer_row(n, 0, step, sequence)
        copy(inputs, (step * n.batch + sequence) * n.inputs, kept, row, n.inputs)
    for layer in range(n.layers):
        width = n.later_width if layer > 0 else n.first_width
        pack = n.pack_later + (layer - 1) * n.gate_row * width if layer > 0 else n.pack_first
        pitch = n.later_row if layer > 0 else n.first_row
        for i in range(count):
            kept[layer_row(n, layer, step, first + i) + width - 1] = 1
        multiply(
            kept, layer_row(n, layer, step, first), pitch, 1,
            weights, pack, n.lanes * width, n.lanes,
            kept, gate_row(n, layer, step, first), n.gate_row,
            count, n.gate_row // n.lanes, width, False,
        )  # fmt: skip
        for i in range(count):
            sequence = first + i
            gates = gate_row(n, layer, step, sequence)
            if layer + 1 < n.layers:
                above = layer_row(n, layer + 1, step, sequence)
            else:
                above = step_row(n, n.at_answers, step, sequence, n.answer_row) + n.read_width
                kept[above + n.units] = 1
            if n.recurrent:
                own = layer_row(n, layer, step + 1, sequence) + own_output(n, layer)
                lstm_forward(
                    kept, gates, cell_row(n, layer, step, sequence),
                    cell_row(n, layer, step + 1, sequence), own, n.units,
                )  # fmt: skip
                copy(kept, own, kept, above, n.units)
            else:
                tanh_forward(kept, gates, n.units)
                copy(kept, gates, kept, above, n.units)


@compiled
def memory_step(
    n: Layout, s: Scratch, kept: Any, scratch: Any, step: int, first: int, i: int
) -> None:
    """Heads of one sequence: address, read, write."""
    sequence = first + i
    memory = s.memory + i * n.words * n.slot_row
    norms = s.norms + i * n.slot_row
    numbers = step_row(n, n.at_heads, step, sequence, n.head_row)
    similarity = step_row(n, n.at_similarity, step, sequence, n.heads * n.slot_row)
    previous = step_row(n, n.at_weightings, step, sequence, n.heads * n.slot_row)
    weighting = step_row(n, n.at_weightings, step + 1, sequence, n.heads * n.slot_row)
    if n.keep and step % n.interval == 0:
        copy_vectors(scratch, memory, kept, memory_row(n, step, sequence), n.words * n.slot_row)
    activate(n, kept, numbers)
    similarities(n, kept, numbers, similarity, scratch, memory, norms)
    for head in range(n.heads):
        at = head * n.slot_row
        blend_and_shift(n, s, kept, numbers, head, similarity + at, previous + at, scratch)
        sharpen(n, s, kept, numbers, head, weighting + at, scratch)
    answers = step_row(n, n.at_answers, step, sequence, n.answer_row)
    read(n, kept, weighting, scratch, memory, answers)
    copy(
        kept,
        answers,
        kept,
        layer_row(n, 0, step + 1, sequence) + n.inputs,
        n.read_width,
    )
    write(n, kept, numbers, weighting, scratch, memory, memory, norms)


@compiled
def keep_memory(
    n: Layout, s: Scratch, kept: Any, scratch: Any, step: int, first: int, count: int
) -> None:
    """Keep the memories before a step."""
    size = n.words * n.slot_row
    for i in range(count):
        copy_vectors(scratch, s.memory + i * size, kept, memory_row(n, step, first + i), size)

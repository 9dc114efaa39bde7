"""What a stack's and a tape's network share: rows, and the products of their layers."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.jit import compiled
from ntmbench.engine.matmul import multiply
from ntmbench.engine.processor import FLOAT_LANES
from ntmbench.engine.rows import copy, fill_part

from .layers import ANSWER, ASKED, HIDDEN
from .layout import Sizes


@compiled
def seen_row(n: Sizes, step: int, sequence: int) -> int:
    """The place in ``kept`` of the row that a step sees."""
    return n.at_rows + ((step & n.mask) * n.batch + sequence) * n.row


@compiled
def step_row(n: Sizes, start: int, step: int, sequence: int, row: int) -> int:
    """The place in ``kept`` of a row that each step and sequence has."""
    return start + (n.keep * step * n.batch + sequence) * row


@compiled
def begin(n: Sizes, kept: Any, first: int, count: int) -> None:
    """Set what the first step sees beside its input."""
    for i in range(count):
        row = seen_row(n, 0, first + i)
        fill_part(kept, row + n.inputs, n.heads, n.empty)
        fill_part(kept, row + n.at_hidden, n.units, 0.0)
        kept[row + n.at_hidden + n.units] = 1


@compiled
def through(
    layer: Any,
    weights: Any,
    seen: Any,
    at: int,
    row: int,
    target: Any,
    to: int,
    target_row: int,
    count: int,
) -> None:
    """Map ``count`` rows, with a 1 behind each, by a layer, to whole vectors."""
    width = layer.inputs + 1
    multiply(
        seen, at, row, 1,
        weights, layer.pack, FLOAT_LANES * width, FLOAT_LANES,
        target, to, target_row,
        count, -(-layer.size // FLOAT_LANES), width, False,
    )  # fmt: skip


@compiled
def back_through(
    layer: Any,
    weights: Any,
    slopes: Any,
    at: int,
    row: int,
    target: Any,
    to: int,
    target_row: int,
    count: int,
    more: bool,
) -> None:
    """Map the gradients of a layer's outputs to those of its inputs, or add them if ``more``."""
    multiply(
        slopes, at, row, 1,
        weights, layer.back, FLOAT_LANES * layer.size, FLOAT_LANES,
        target, to, target_row,
        count, -(-(layer.inputs - layer.begin) // FLOAT_LANES), layer.size, more,
    )  # fmt: skip


@compiled
def see(
    n: Sizes, layers: Any, weights: Any, inputs: Any, kept: Any, step: int, first: int, count: int
) -> None:
    """Write the sums of the hidden layer to the next step's rows."""
    for i in range(count):
        start = (step * n.batch + first + i) * n.inputs
        copy(inputs, start, kept, seen_row(n, step, first + i), n.inputs)
    through(
        layers[HIDDEN], weights, kept, seen_row(n, step, first), n.row,
        kept, seen_row(n, step + 1, first) + n.at_hidden, n.row, count,
    )  # fmt: skip


@compiled
def ask(n: Sizes, layers: Any, weights: Any, kept: Any, step: int, first: int, count: int) -> None:
    """Map the hidden layer, which the next step's rows hold, to the row of what is asked."""
    for i in range(count):
        kept[seen_row(n, step + 1, first + i) + n.at_hidden + n.units] = 1
    through(
        layers[ASKED], weights, kept, seen_row(n, step + 1, first) + n.at_hidden, n.row,
        kept, step_row(n, n.at_asked, step, first, n.asked_row), n.asked_row, count,
    )  # fmt: skip


@compiled
def answer(
    n: Sizes,
    layers: Any,
    weights: Any,
    kept: Any,
    room: Any,
    logits: Any,
    step: int,
    first: int,
    count: int,
) -> None:
    """Write the logits of a step."""
    through(
        layers[ANSWER], weights, kept, seen_row(n, step + 1, first) + n.at_answered, n.row,
        room, n.output_at, n.output_row, count,
    )  # fmt: skip
    for i in range(count):
        to = (step * n.batch + first + i) * n.outputs
        copy(room, n.output_at + i * n.output_row, logits, to, n.outputs)


@compiled
def answer_back(
    n: Sizes, layers: Any, weights: Any, d_logits: Any, room: Any, step: int, first: int, count: int
) -> None:
    """Add the gradients that come from a step's logits to those of the row after it."""
    start = (step * n.batch + first) * n.outputs
    to = n.d_row_at + n.at_answered - n.inputs
    back_through(
        layers[ANSWER], weights, d_logits, start, n.outputs, room, to, n.d_row, count, True
    )


@compiled
def ask_back(
    n: Sizes, layers: Any, weights: Any, kept: Any, room: Any, step: int, first: int, count: int
) -> None:
    """Add the gradients of the hidden layer that come from what was asked."""
    back_through(
        layers[ASKED], weights, kept, step_row(n, n.at_asked, step, first, n.asked_row),
        n.asked_row, room, n.d_row_at + n.heads, n.d_row, count, True,
    )  # fmt: skip


@compiled
def see_back(
    n: Sizes, layers: Any, weights: Any, kept: Any, room: Any, step: int, first: int, count: int
) -> None:
    """Go from the gradients of the hidden layer's sums to the row that the step saw."""
    back_through(
        layers[HIDDEN], weights, kept, step_row(n, n.at_slopes, step, first, n.unit_row),
        n.unit_row, room, n.d_row_at, n.d_row, count, False,
    )  # fmt: skip

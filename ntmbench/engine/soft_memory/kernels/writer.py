"""The layers between the hidden layer of a network with tapes and what it writes."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.activations import relu_backward, relu_forward
from ntmbench.engine.jit import compiled

from .controller import back_through, step_row, through
from .layers import SECOND, WRITTEN
from .layout import TAPE_ACTIONS, Sizes


@compiled
def compose(
    n: Sizes, layers: Any, weights: Any, kept: Any, step: int, first: int, count: int
) -> None:
    """Go from the sums of the writer's first layer, behind the actions, to what is written."""
    for i in range(count):
        sums = step_row(n, n.at_asked, step, first + i, n.asked_row) + n.memories * TAPE_ACTIONS
        row = step_row(n, n.at_first, step, first + i, n.writer_row)
        relu_forward(kept, sums, kept, row, n.writer)
        kept[row + n.writer] = 1
    second = step_row(n, n.at_second, step, first, n.writer_row)
    through(
        layers[SECOND], weights, kept, step_row(n, n.at_first, step, first, n.writer_row),
        n.writer_row, kept, second, n.writer_row, count,
    )  # fmt: skip
    for i in range(count):
        row = second + i * n.writer_row
        relu_forward(kept, row, kept, row, n.writer)
        kept[row + n.writer] = 1
    through(
        layers[WRITTEN], weights, kept, second, n.writer_row,
        kept, step_row(n, n.at_written, step, first, n.head_row), n.head_row, count,
    )  # fmt: skip


@compiled
def compose_back(
    n: Sizes, layers: Any, weights: Any, kept: Any, room: Any, step: int, first: int, count: int
) -> None:
    """Go from the gradients of what was written to those of the first layer's sums."""
    back_through(
        layers[WRITTEN], weights, kept, step_row(n, n.at_written, step, first, n.head_row),
        n.head_row, room, n.d_writer_at, n.writer_row, count, False,
    )  # fmt: skip
    slopes = step_row(n, n.at_second_slopes, step, first, n.writer_row)
    for i in range(count):
        second = step_row(n, n.at_second, step, first + i, n.writer_row)
        at = n.d_writer_at + i * n.writer_row
        relu_backward(kept, second, room, at, kept, slopes + i * n.writer_row, n.writer)
    back_through(
        layers[SECOND], weights, kept, slopes, n.writer_row,
        room, n.d_writer_at, n.writer_row, count, False,
    )  # fmt: skip
    for i in range(count):
        values = step_row(n, n.at_first, step, first + i, n.writer_row)
        sums = step_row(n, n.at_asked, step, first + i, n.asked_row) + n.memories * TAPE_ACTIONS
        at = n.d_writer_at + i * n.writer_row
        relu_backward(kept, values, room, at, kept, sums, n.writer)

"""The linear maps as a table: where each finds its weights, and what its gradient is made of."""

from __future__ import annotations

from typing import NamedTuple

from ntmbench.engine.places import Room, padded
from ntmbench.engine.processor import FLOAT_LANES

from .layout import Sizes

#: Numbers of the layers in the table; the last two are a tape's.
HIDDEN, ASKED, ANSWER, SECOND, WRITTEN = range(5)


class Layer(NamedTuple):
    """A linear map: its sizes, its place in the packed weights, and what its gradient is made of.

    The gradient is a product of two stretches of ``kept``, over all steps and sequences.
    """

    size: int
    inputs: int
    pack: int
    # The first column that a gradient goes back through, and the place of those columns.
    begin: int
    back: int
    # Gradients of the outputs; -1 for those of the logits, which are not in ``kept``.
    slopes: int
    slopes_row: int
    # What the layer sees, with a 1 behind it.
    seen: int
    seen_row: int


class Packing(NamedTuple):
    """How many numbers the packed weights of all layers are."""

    forward: int
    backward: int


def make_layers(n: Sizes) -> tuple[list[Layer], Packing]:
    """The layers of a problem, in the order of their numbers."""
    next_rows = n.at_rows + n.batch * n.row
    answered = n.at_hidden + n.units - n.at_answered
    # Of each layer: outputs; inputs; the first of those that gradients go back to; places and rows
    # of the gradients of the outputs, and of the inputs.
    maps = [
        (n.units, n.at_hidden + n.units, n.inputs, n.at_slopes, n.unit_row, n.at_rows, n.row),
        (n.asked, n.units, 0, n.at_asked, n.asked_row, next_rows + n.at_hidden, n.row),
        (n.outputs, answered, 0, -1, n.outputs, next_rows + n.at_answered, n.row),
    ]
    if n.writer:
        row = n.writer_row
        maps += [
            (n.writer, n.writer, 0, n.at_second_slopes, row, n.at_first, row),
            (n.heads, n.writer, 0, n.at_written, n.head_row, n.at_second, row),
        ]
    forward, backward = Room(), Room()
    layers = [
        Layer(
            size=size,
            inputs=inputs,
            pack=forward.take(padded(size, FLOAT_LANES) * (inputs + 1)),
            begin=begin,
            back=backward.take(padded(inputs - begin, FLOAT_LANES) * size),
            slopes=slopes,
            slopes_row=slopes_row,
            seen=seen,
            seen_row=seen_row,
        )
        for size, inputs, begin, slopes, slopes_row, seen, seen_row in maps
    ]
    return layers, Packing(forward.size, backward.size)

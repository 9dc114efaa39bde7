"""Sizes, and the places in a thread's room to work in.

A state is kept as ``[rows, key_row]``: a row for each of the V values, as a multiple of ``ROWS``,
and in it the K keys as whole vectors. What is added beyond V and K is zero.
"""

from __future__ import annotations

from typing import NamedTuple

from ntmbench.engine.places import Room, kept_interval, padded
from ntmbench.engine.processor import FLOAT_LANES

#: Rows of a state that a step forward takes at a time.
ROWS = 2
#: Kinds of decay.
NO_DECAY, SCALAR, DIAGONAL = 0, 1, 2


class Problem(NamedTuple):
    """What is to be computed; ``pairs`` are those of a sequence and a head."""

    steps: int
    pairs: int
    keys: int
    values: int
    every: int
    decay: int  # NO_DECAY, SCALAR or DIAGONAL
    erase: bool
    begins: bool  # whether a first state is given
    keep: bool  # whether there will be a backward pass


class Sizes(NamedTuple):
    """Numbers that the kernels read, and places in their room to work in."""

    steps: int
    pairs: int
    keys: int
    values: int
    every: int
    decay: int
    erase: int
    begins: int
    keep: int
    key_row: int
    value_row: int
    rows: int
    state_size: int
    interval: int  # steps from one state that is kept to the next
    # One step's numbers, in whole vectors.
    decays: int
    key: int
    query: int
    erase_from: int
    erase_to: int
    value: int
    minus_seen: int  # -u_t = -S_{t-1} a_t
    output: int  # in the backward pass the gradient of the value
    sums: int  # a vector for each row, still to be added up
    other_sums: int
    states: int  # in the forward pass one of each pair, in the backward pass those of a chunk
    # In the backward pass, the gradients of the same.
    d_output: int
    d_decays: int
    d_key: int
    d_query: int
    d_erase_from: int
    d_erase_to: int
    d_seen: int
    d_states: int  # one of each pair
    room: int


def state_size(problem: Problem) -> int:
    """Numbers of a state."""
    return padded(problem.values, ROWS) * padded(problem.keys, FLOAT_LANES)


def make_sizes(problem: Problem, states: int, d_states: int) -> Sizes:
    """Lay out a thread's room, with so many states in it, and gradients of states."""
    key_row, value_row = padded(problem.keys, FLOAT_LANES), padded(problem.values, FLOAT_LANES)
    rows = padded(problem.values, ROWS)
    room = Room()
    places = {
        **{
            name: room.take(key_row)
            for name in (
                "decays", "key", "query", "erase_from", "erase_to",
                "d_decays", "d_key", "d_query", "d_erase_from", "d_erase_to",
            )
        },
        **{
            name: room.take(value_row)
            for name in ("value", "minus_seen", "output", "d_output", "d_seen")
        },
        **{name: room.take(value_row * FLOAT_LANES) for name in ("sums", "other_sums")},
        "states": room.take(states * rows * key_row),
        "d_states": room.take(d_states * rows * key_row),
    }  # fmt: skip
    return Sizes(
        **{name: int(number) for name, number in problem._asdict().items()},
        key_row=key_row,
        value_row=value_row,
        rows=rows,
        state_size=state_size(problem),
        interval=kept_interval(problem.steps),
        **places,
        room=room.size,
    )

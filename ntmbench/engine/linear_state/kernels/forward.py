"""The forward pass of some pairs of a sequence and a head over all steps.

Steps go in chunks, and within a chunk one pair after the other: pairs lie side by side at each
step, so that a chunk's pages of memory are found for all of them at once.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load_part, store, store_part
from ntmbench.engine.reductions import totals
from ntmbench.engine.rows import copy, copy_vectors, fill
from ntmbench.engine.simd import lanes, splat

from .announced import linear_kernel
from .layout import Sizes
from .steps import (
    advance,
    ahead_forward,
    answer_row,
    load_erase_from,
    load_query,
    load_step,
    look,
    store_row,
)


@linear_kernel
def run_forward(n: Sizes, addresses: Any, like: Any, room_at: int, first: int, count: int) -> None:
    """Run pairs ``first`` to ``first + count``.

    Args:
        n: sizes and places.
        addresses: of query, key, value, decay, a, b, first state, outputs, last state, and of the
            states and what was seen, which are kept.
        like: an array of the type of the numbers.
        room_at: the address of the room to work in.
        first: the first pair.
        count: how many pairs.
    """
    mode = flush_denormals()
    room = at_address(like, room_at, n.room)
    size, wide, zero = n.values * n.keys, lanes(like), splat(like, 0.0)
    given = at_address(like, addresses[6], n.pairs * size)
    outputs = at_address(like, addresses[7], n.steps // n.every * n.pairs * n.values)
    last = at_address(like, addresses[8], n.pairs * size)
    states = at_address(like, addresses[9], n.steps * n.pairs * n.state_size)
    kept_seen = at_address(like, addresses[10], n.steps * n.pairs * n.value_row)
    fill(room, 0, n.room, 0.0)
    for begin in range(0, n.steps, n.interval):
        end = min(begin + n.interval, n.steps)
        for pair in range(first, first + count):
            state = n.states + (pair - first) * n.state_size
            if begin == 0 and n.begins:
                for row in range(n.values):
                    from_row = pair * size + row * n.keys
                    copy(given, from_row, room, state + row * n.key_row, n.keys)
            if n.keep:
                to = (begin // n.interval * n.pairs + pair) * n.state_size
                copy_vectors(room, state, states, to, n.state_size)
            if n.erase:
                ahead = ahead_forward(n, begin, begin, end, pair, first, count)
                load_erase_from(n, addresses, room, begin, pair, ahead)
                look(n, room, state, n.erase_from)
            for step in range(begin, end):
                ahead = ahead_forward(n, step, begin, end, pair, first, count)
                load_step(n, addresses, room, step, pair, ahead)
                looks = n.erase == 1 and step + 1 < end
                asks = (step + 1) % n.every == 0
                if n.erase:
                    for row in range(0, n.value_row, wide):
                        seen = totals(room, n.sums + row * wide)
                        store(room, n.minus_seen + row, zero - seen)
                    if n.keep:
                        row = step * n.pairs + pair
                        store_row(room, n.minus_seen, kept_seen, row, n.value_row, ahead)
                if looks:
                    load_erase_from(n, addresses, room, step + 1, pair, ahead)
                if asks:
                    load_query(n, addresses, room, step, pair, ahead)
                advance(n, room, state, state, asks, looks)
                if asks:
                    for row in range(0, n.value_row, wide):
                        store(room, n.output + row, totals(room, n.other_sums + row * wide))
                    row, rows_ahead = answer_row(n, step, pair, ahead)
                    store_row(room, n.output, outputs, row, n.values, rows_ahead)
            if end == n.steps:
                _store_last(n, room, state, last, pair * size)
    restore(mode)


@compiled
def _store_last(n: Sizes, room: Any, state: int, last: Any, to: int) -> None:
    wide = lanes(room)
    for row in range(n.values):
        at = state + row * n.key_row
        for i in range(0, n.keys, wide):
            value = load_part(room, at + i, n.keys - i)
            store_part(last, to + row * n.keys + i, value, n.keys - i)

"""The forward pass of some pairs of a sequence and a head over all steps."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.load_store import load_part, store, store_part
from ntmbench.engine.reductions import totals
from ntmbench.engine.rows import copy, copy_vectors, fill
from ntmbench.engine.simd import lanes

from .announced import linear_kernel
from .layout import Sizes
from .steps import AHEAD, advance, load_erase_from, load_query, load_step, look


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
    size, wide = n.values * n.keys, lanes(like)
    given = at_address(like, addresses[6], n.pairs * size)
    outputs = at_address(like, addresses[7], n.steps // n.every * n.pairs * n.values)
    last = at_address(like, addresses[8], n.pairs * size)
    states = at_address(like, addresses[9], n.steps * n.pairs * n.state_size)
    kept_seen = at_address(like, addresses[10], n.steps * n.pairs * n.value_row)
    fill(room, 0, n.room, 0.0)
    for pair in range(first, first + count):
        fill(room, n.states, n.state_size, 0.0)
        if n.begins:
            for row in range(n.values):
                from_row = pair * size + row * n.keys
                copy(given, from_row, room, n.states + row * n.key_row, n.keys)
        if n.erase:
            load_erase_from(n, addresses, room, 0, pair, AHEAD)
            look(n, room, n.states, n.erase_from)
        for step in range(n.steps):
            load_step(n, addresses, room, step, pair, AHEAD)
            if n.keep and step % n.interval == 0:
                to = (step // n.interval * n.pairs + pair) * n.state_size
                copy_vectors(room, n.states, states, to, n.state_size)
            looks = n.erase == 1 and step + 1 < n.steps
            asks = (step + 1) % n.every == 0
            if n.erase:
                for row in range(0, n.value_row, wide):
                    store(room, n.seen + row, totals(room, n.sums + row * wide))
                if n.keep:
                    to = (step * n.pairs + pair) * n.value_row
                    copy_vectors(room, n.seen, kept_seen, to, n.value_row)
            if looks:
                load_erase_from(n, addresses, room, step + 1, pair, AHEAD)
            if asks:
                load_query(n, addresses, room, step, pair, AHEAD)
            advance(n, room, n.states, n.states, asks, looks)
            if asks:
                to = (step // n.every * n.pairs + pair) * n.values
                for row in range(0, n.values, wide):
                    output = totals(room, n.other_sums + row * wide)
                    store_part(outputs, to + row, output, n.values - row)
        for row in range(n.values):
            at = n.states + row * n.key_row
            for i in range(0, n.keys, wide):
                value = load_part(room, at + i, n.keys - i)
                store_part(last, pair * size + row * n.keys + i, value, n.keys - i)
    restore(mode)

"""The backward pass of some pairs of a sequence and a head over all steps.

With G_t for the gradient of S_t, the output's part ``do_t q_t^T`` included, and u_t = S_{t-1} a_t:

    dq_t = S_t^T do_t     dk_t = G_t^T v_t     dv_t = G_t k_t     db_t = -G_t^T u_t
    du_t = -G_t b_t       da_t = S_{t-1}^T du_t
    dw_t = column sums of G_t * S_{t-1}
    G_{t-1} = G_t diag(w_t) + du_t a_t^T

States come in chunks: the first of a chunk was kept, the others are computed again. Within a chunk
one pair goes after the other, as in the forward pass.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.denormals import flush_denormals, restore
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_splat, store
from ntmbench.engine.reductions import totals
from ntmbench.engine.rows import copy, copy_vectors, fill
from ntmbench.engine.simd import add_product, lanes, splat, total

from .announced import linear_kernel
from .layout import SCALAR, Sizes
from .steps import (
    advance,
    ahead_backward,
    ahead_forward,
    answer_row,
    load_erase_from,
    load_query,
    load_row,
    load_step,
    store_row,
)


@linear_kernel
def run_backward(
    n: Sizes, addresses: Any, gradients: Any, like: Any, room_at: int, first: int, count: int
) -> None:
    """Run pairs ``first`` to ``first + count`` backward.

    Args:
        n: sizes and places.
        addresses: as in the forward pass.
        gradients: addresses of the gradients of query, key, value, decay, a, b, first state,
            outputs and last state. The last two are given, the others are written.
        like: an array of the type of the numbers.
        room_at: the address of the room to work in.
        first: the first pair.
        count: how many pairs.
    """
    mode = flush_denormals()
    room = at_address(like, room_at, n.room)
    size = n.values * n.keys
    d_outputs = at_address(like, gradients[7], n.steps // n.every * n.pairs * n.values)
    d_last = at_address(like, gradients[8], n.pairs * size)
    states = at_address(like, addresses[9], n.steps * n.pairs * n.state_size)
    fill(room, 0, n.room, 0.0)
    begin, end = (n.steps - 1) // n.interval * n.interval, n.steps
    while begin >= 0:
        for pair in range(first, first + count):
            d_state = n.d_states + (pair - first) * n.state_size
            if end == n.steps:
                for row in range(n.values):
                    from_row = pair * size + row * n.keys
                    copy(d_last, from_row, room, d_state + row * n.key_row, n.keys)
            kept = (begin // n.interval * n.pairs + pair) * n.state_size
            copy_vectors(states, kept, room, n.states, n.state_size)
            for step in range(begin, end):
                ahead = ahead_forward(n, step, begin, end, pair, first, count)
                load_step(n, addresses, room, step, pair, ahead)
                _load_seen(n, addresses, room, step, pair, ahead)
                at = n.states + (step - begin) * n.state_size
                advance(n, room, at, at + n.state_size, False, False)
            for step in range(end - 1, begin - 1, -1):
                ahead = ahead_backward(n, step, begin, end, pair, first, count)
                load_step(n, addresses, room, step, pair, ahead)
                _load_seen(n, addresses, room, step, pair, ahead)
                asks = (step + 1) % n.every == 0
                if asks:
                    load_query(n, addresses, room, step, pair, ahead)
                    row, rows_ahead = answer_row(n, step, pair, ahead)
                    load_row(d_outputs, row, n.values, room, n.d_output, rows_ahead)
                at = n.states + (step - begin) * n.state_size
                _gather(n, room, at, d_state, asks)
                _store_value(n, gradients, room, step, pair, ahead)
                if n.erase:
                    load_erase_from(n, addresses, room, step, pair, ahead)
                    _step_back(n, room, at, d_state)
                _store_keys(n, gradients, room, step, pair, asks, ahead)
            if begin == 0 and n.begins:
                d_given = at_address(like, gradients[6], n.pairs * size)
                for row in range(n.values):
                    to = pair * size + row * n.keys
                    copy(room, d_state + row * n.key_row, d_given, to, n.keys)
        end = begin
        begin -= n.interval
    restore(mode)


@compiled
def _load_seen(n: Sizes, addresses: Any, room: Any, step: int, pair: int, ahead: int) -> None:
    if n.erase:
        seen = at_address(room, addresses[10], n.steps * n.pairs * n.value_row)
        load_row(seen, step * n.pairs + pair, n.value_row, room, n.minus_seen, ahead)


@compiled
def _gather(n: Sizes, room: Any, before: int, d_state: int, asks: bool) -> None:
    """Add the output's part to G, and gather all gradients but that of a.

    ``sums`` are left for the value, ``other_sums`` for u with its sign reversed. Where nothing is
    erased, G is taken one step back. One vector of keys is taken after the other, so that what is
    summed over the rows stays in registers.
    """
    zero, wide = splat(room, 0.0), lanes(room)
    key_row, rows, erase, decay = n.key_row, n.rows, n.erase, n.decay
    value, minus_seen, d_output = n.value, n.minus_seen, n.d_output
    sums, other_sums, after = n.sums, n.other_sums, before + n.state_size
    for i in range(0, key_row, wide):
        query, key = load(room, n.query + i), load(room, n.key + i)
        b, w = load(room, n.erase_to + i), load(room, n.decays + i)
        d_query, d_key, d_b, d_w = zero, zero, zero, zero
        for row in range(rows):
            shift, at = row * key_row + i, row * wide
            g = load(room, d_state + shift)
            if asks:
                o = load_splat(room, d_output + row)
                g = add_product(g, o, query)
                d_query = add_product(d_query, o, load(room, after + shift))
            s = load(room, sums + at) if i else zero
            store(room, sums + at, add_product(s, g, key))
            d_key = add_product(d_key, load_splat(room, value + row), g)
            if erase:
                e = load(room, other_sums + at) if i else zero
                store(room, other_sums + at, add_product(e, g, b))
                d_b = add_product(d_b, load_splat(room, minus_seen + row), g)
            if decay:
                d_w = add_product(d_w, g, load(room, before + shift))
                g = g * w
            store(room, d_state + shift, g)
        store(room, n.d_query + i, d_query)
        store(room, n.d_key + i, d_key)
        store(room, n.d_erase_to + i, d_b)
        store(room, n.d_decays + i, d_w)


@compiled
def _step_back(n: Sizes, room: Any, before: int, d_state: int) -> None:
    """Add u's part to G, which has decayed, and gather the gradient of a."""
    zero, wide = splat(room, 0.0), lanes(room)
    for row in range(0, n.value_row, wide):
        store(room, n.d_seen + row, zero - totals(room, n.other_sums + row * wide))
    key_row, rows, d_seen = n.key_row, n.rows, n.d_seen
    for i in range(0, key_row, wide):
        a, d_a = load(room, n.erase_from + i), zero
        for row in range(rows):
            shift = row * key_row + i
            u = load_splat(room, d_seen + row)
            d_a = add_product(d_a, u, load(room, before + shift))
            store(room, d_state + shift, add_product(load(room, d_state + shift), u, a))
        store(room, n.d_erase_from + i, d_a)


@compiled
def _store_value(n: Sizes, gradients: Any, room: Any, step: int, pair: int, ahead: int) -> None:
    d_value = at_address(room, gradients[2], n.steps * n.pairs * n.values)
    for row in range(0, n.value_row, lanes(room)):
        store(room, n.output + row, totals(room, n.sums + row * lanes(room)))
    store_row(room, n.output, d_value, step * n.pairs + pair, n.values, ahead)


@compiled
def _store_keys(
    n: Sizes, gradients: Any, room: Any, step: int, pair: int, asks: bool, ahead: int
) -> None:
    """Write a step's gradients of the vectors of K numbers."""
    row, rows = step * n.pairs + pair, n.steps * n.pairs
    size = rows * n.keys
    store_row(room, n.d_key, at_address(room, gradients[1], size), row, n.keys, ahead)
    if asks:
        d_query = at_address(room, gradients[0], size // n.every)
        of_answer, rows_ahead = answer_row(n, step, pair, ahead)
        store_row(room, n.d_query, d_query, of_answer, n.keys, rows_ahead)
    if n.decay == SCALAR:
        found = splat(room, 0.0)
        for i in range(0, n.key_row, lanes(room)):
            found = found + load(room, n.d_decays + i)
        at_address(room, gradients[3], rows)[row] = total(found)
    elif n.decay:
        store_row(room, n.d_decays, at_address(room, gradients[3], size), row, n.keys, ahead)
    if n.erase:
        erase_from, erase_to = (
            at_address(room, gradients[4], size),
            at_address(room, gradients[5], size),
        )
        store_row(room, n.d_erase_from, erase_from, row, n.keys, ahead)
        store_row(room, n.d_erase_to, erase_to, row, n.keys, ahead)

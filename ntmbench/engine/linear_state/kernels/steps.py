"""One step of a state, and what both passes load of a step."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.addresses import at_address
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_part, load_splat, store, store_part
from ntmbench.engine.prefetching import prefetch, prefetch_to_write
from ntmbench.engine.rows import fill
from ntmbench.engine.simd import add_product, lanes, splat

from .layout import ROWS, SCALAR, Sizes

#: Steps from the one that is loaded to the one that is asked for.
AHEAD = 4


@compiled
def ahead_forward(
    n: Sizes, step: int, begin: int, end: int, pair: int, first: int, count: int
) -> int:
    """How many rows ahead to ask for at a step of a chunk that is run forward.

    A row is that of a step and a pair. The end of a chunk is followed by its first step of the next
    pair, or, for the last of the pairs ``first`` to ``first + count``, by the next chunk of the
    first one. What is asked for may lie outside of everything.
    """
    if step + AHEAD < end:
        return AHEAD * n.pairs
    if pair + 1 == first + count:
        return AHEAD * n.pairs - (count - 1)
    return (AHEAD - end + begin) * n.pairs + 1


@compiled
def ahead_backward(
    n: Sizes, step: int, begin: int, end: int, pair: int, first: int, count: int
) -> int:
    """The same where the chunk is run backward, and the chunk before it follows."""
    if step - AHEAD >= begin:
        return -AHEAD * n.pairs
    if pair + 1 == first + count:
        return -AHEAD * n.pairs - (count - 1)
    return (end - begin - AHEAD) * n.pairs + 1


@compiled
def load_row(source: Any, row: int, width: int, room: Any, to: int, ahead: int) -> None:
    """Copy a row of ``width`` numbers as whole vectors, zeros after its end.

    The row that lies ``ahead`` rows further is asked for.
    """
    wide = lanes(room)
    at, whole = row * width, width - width % wide
    for i in range(0, whole, wide):
        store(room, to + i, load(source, at + i))
        prefetch(source, at + ahead * width + i)
    if whole < width:
        store(room, to + whole, load_part(source, at + whole, width - whole))
        prefetch(source, at + ahead * width + whole)


@compiled
def store_row(room: Any, at: int, into: Any, row: int, width: int, ahead: int) -> None:
    """Write a row of ``width`` numbers; the one ``ahead`` rows further is asked for."""
    wide = lanes(room)
    to, whole = row * width, width - width % wide
    for i in range(0, whole, wide):
        store(into, to + i, load(room, at + i))
        prefetch_to_write(into, to + ahead * width + i)
    if whole < width:
        store_part(into, to + whole, load(room, at + whole), width - whole)
        prefetch_to_write(into, to + ahead * width + whole)


@compiled
def load_step(n: Sizes, addresses: Any, room: Any, step: int, pair: int, ahead: int) -> None:
    """Load a step's decays, key, value and b, and ask for those ``ahead`` rows further."""
    row = step * n.pairs + pair
    rows = n.steps * n.pairs
    load_row(at_address(room, addresses[1], rows * n.keys), row, n.keys, room, n.key, ahead)
    load_row(at_address(room, addresses[2], rows * n.values), row, n.values, room, n.value, ahead)
    if n.decay == SCALAR:
        fill(room, n.decays, n.key_row, at_address(room, addresses[3], rows)[row])
    elif n.decay:
        load_row(at_address(room, addresses[3], rows * n.keys), row, n.keys, room, n.decays, ahead)
    if n.erase:
        load_row(
            at_address(room, addresses[5], rows * n.keys), row, n.keys, room, n.erase_to, ahead
        )


@compiled
def answer_row(n: Sizes, step: int, pair: int, ahead: int) -> tuple[int, int]:
    """The row of the answer after a step, and how many rows further the one to ask for lies."""
    row = step // n.every * n.pairs + pair
    then = step * n.pairs + pair + ahead
    return row, then // n.pairs // n.every * n.pairs + then % n.pairs - row


@compiled
def load_query(n: Sizes, addresses: Any, room: Any, step: int, pair: int, ahead: int) -> None:
    """Load the query that is answered after a step."""
    queries = at_address(room, addresses[0], n.steps // n.every * n.pairs * n.keys)
    row, rows_ahead = answer_row(n, step, pair, ahead)
    load_row(queries, row, n.keys, room, n.query, rows_ahead)


@compiled
def load_erase_from(n: Sizes, addresses: Any, room: Any, step: int, pair: int, ahead: int) -> None:
    """Load a step's a."""
    a = at_address(room, addresses[4], n.steps * n.pairs * n.keys)
    load_row(a, step * n.pairs + pair, n.keys, room, n.erase_from, ahead)


@compiled
def look(n: Sizes, room: Any, state: int, vector: int) -> None:
    """Fill ``sums`` with the products of a state's rows and a vector, not yet added up."""
    for row in range(n.rows):
        at = state + row * n.key_row
        found = splat(room, 0.0)
        for i in range(0, n.key_row, lanes(room)):
            found = add_product(found, load(room, at + i), load(room, vector + i))
        store(room, n.sums + row * lanes(room), found)


@compiled
def advance(n: Sizes, room: Any, state: int, to: int, asks: bool, looks: bool) -> None:
    """Take a state one step on, from its place to one that may be the same.

    Where asked for, fill ``other_sums`` with the new state's products with the query, and ``sums``
    with those with the next step's a. Rows are taken in pairs, which share the loads and fit into
    16 registers. Sizes and places are read once, since every store could change them.
    """
    zero, wide = splat(room, 0.0), lanes(room)
    key_row, decay, erase = n.key_row, n.decay, n.erase
    decays, erase_to, key, query, erase_from = n.decays, n.erase_to, n.key, n.query, n.erase_from
    value, minus_seen, other_sums, sums = n.value, n.minus_seen, n.other_sums, n.sums
    for row in range(0, n.rows, ROWS):
        v0, v1 = load_splat(room, value + row), load_splat(room, value + row + 1)
        u0, u1 = load_splat(room, minus_seen + row), load_splat(room, minus_seen + row + 1)
        o0, o1 = zero, zero
        s0, s1 = zero, zero
        for i in range(0, key_row, wide):
            at = state + row * key_row + i
            x0, x1 = load(room, at), load(room, at + key_row)
            if decay:
                w = load(room, decays + i)
                x0, x1 = x0 * w, x1 * w
            if erase:
                b = load(room, erase_to + i)
                x0, x1 = add_product(x0, u0, b), add_product(x1, u1, b)
            k = load(room, key + i)
            x0, x1 = add_product(x0, v0, k), add_product(x1, v1, k)
            if asks:
                q = load(room, query + i)
                o0, o1 = add_product(o0, x0, q), add_product(o1, x1, q)
            if looks:
                a = load(room, erase_from + i)
                s0, s1 = add_product(s0, x0, a), add_product(s1, x1, a)
            at = to + row * key_row + i
            store(room, at, x0)
            store(room, at + key_row, x1)
        if asks:
            store(room, other_sums + row * wide, o0)
            store(room, other_sums + (row + 1) * wide, o1)
        if looks:
            store(room, sums + row * wide, s0)
            store(room, sums + (row + 1) * wide, s1)

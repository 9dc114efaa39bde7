"""Looking slots up by their content, forward and backward.

With a mask m of the key k (ones, if look-ups are not masked), a slot M is as like the key as::

    likeness = q . M / (|m k| size + epsilon),   q = m^2 k,   size = sqrt(sum of m^2 M^2)

and the weighting is softmax(strength * likeness) over the slots.
"""

from __future__ import annotations

import math
from typing import Any

from ntmbench.engine.dnc.limits import EPSILON
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_part, load_splat, store, store_part
from ntmbench.engine.reductions import totals
from ntmbench.engine.simd import (
    add_product,
    inverse_root,
    lanes,
    maximum,
    splat,
    subtract_product,
    total,
)

from .layout import Layout, Scratch
from .passes import row_dot, softmax_of_slots

_EPSILON = EPSILON
#: Squares of sizes from which one is divided by the size; the gradient of no size is zero.
_FLOOR = 1e-37


@compiled
def _ask(n: Layout, s: Scratch, kept: Any, key: int, mask: int, room: Any) -> Any:
    """Fill scratch's ``query`` and ``squares`` for a key, and return the square of |m k|."""
    one = splat(kept, 1.0)
    sums = splat(kept, 0.0)
    for word in range(0, n.words, lanes(kept)):
        count = n.words - word
        value = load_part(kept, key + word, count)
        square = one
        if n.masked:
            share = load_part(kept, mask + word, count)
            square = share * share
        query = value * square
        store(room, s.query + word, query)
        store(room, s.squares + word, square)
        sums = add_product(sums, query, value)
    return total(sums)


@compiled
def look_up(
    n: Layout, s: Scratch, kept: Any, key: int, mask: int, strength: int, place: int, room: Any,
    memory: int,
) -> None:  # fmt: skip
    """Fill the rows of likeness and content at ``place``, from a memory in ``room``."""
    key_size = splat(kept, math.sqrt(_ask(n, s, kept, key, mask, room)))
    floor, epsilon = splat(kept, _FLOOR), splat(kept, _EPSILON)
    power = load_splat(kept, strength) + splat(kept, 1.0)
    content = place + (n.content - n.likeness)
    for slot in range(0, n.slot_row, lanes(kept)):
        dots, sums = splat(kept, 0.0), splat(kept, 0.0)
        for word in range(n.words):
            value = load(room, memory + word * n.slot_row + slot)
            dots = add_product(dots, load_splat(room, s.query + word), value)
            sums = add_product(sums, load_splat(room, s.squares + word) * value, value)
        size = sums * inverse_root(maximum(sums, floor))
        likeness = dots / add_product(epsilon, key_size, size)
        store(kept, place + slot, likeness)
        store(kept, content + slot, power * likeness)
    softmax_of_slots(n, s, kept, content, room)


@compiled
def look_up_backward(
    n: Layout, s: Scratch, kept: Any, interface: int, key: int, mask: int, strength: int,
    place: int, room: Any, memory: int, d_memory: int,
) -> None:  # fmt: skip
    """From the gradient of a weighting, in scratch's ``d_weighting``, to what was asked.

    ``key``, ``mask`` and ``strength`` are positions in the interface. Their gradients are set in
    ``d_numbers``, and that of the memory is added to.
    """
    square = _ask(n, s, kept, interface + key, interface + mask, room)
    key_size = splat(kept, math.sqrt(square))
    floor, epsilon = splat(kept, _FLOOR), splat(kept, _EPSILON)
    power = load_splat(kept, interface + strength) + splat(kept, 1.0)
    content = place + (n.content - n.likeness)
    mean = splat(kept, row_dot(n, kept, content, room, s.d_weighting))
    d_strength, d_key_size = splat(kept, 0.0), splat(kept, 0.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        sums = splat(kept, 0.0)
        for word in range(n.words):
            value = load(room, memory + word * n.slot_row + slot)
            sums = add_product(sums, load_splat(room, s.squares + word) * value, value)
        inverse = inverse_root(maximum(sums, floor))
        size = sums * inverse
        likeness = load(kept, place + slot)
        slope = load(kept, content + slot) * (load(room, s.d_weighting + slot) - mean)
        d_strength = add_product(d_strength, slope, likeness)
        d_dot = power * slope / add_product(epsilon, key_size, size)
        pull = d_dot * likeness  # the gradient of |m k| size, its sign reversed
        d_key_size = add_product(d_key_size, pull, size)
        store(room, s.d_dots + slot, d_dot)
        store(room, s.pulls + slot, pull * key_size * inverse)
    room[s.d_numbers + strength] = total(d_strength)
    wide = lanes(kept)
    for block in range(0, n.words, wide):
        count = min(wide, n.words - block)
        for word in range(block, block + count):
            row = word * n.slot_row
            query, share = load_splat(room, s.query + word), load_splat(room, s.squares + word)
            d_query, d_square = splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, n.slot_row, wide):
                d_dot, pull = load(room, s.d_dots + slot), load(room, s.pulls + slot)
                value = load(room, memory + row + slot)
                pulled = pull * value
                slope = add_product(load(room, d_memory + row + slot), d_dot, query)
                store(room, d_memory + row + slot, subtract_product(slope, pulled, share))
                d_query = add_product(d_query, d_dot, value)
                d_square = add_product(d_square, pulled, value)
            store(room, s.sums + (word - block) * wide, d_query)
            store(room, s.other_sums + (word - block) * wide, d_square)
        store_part(room, s.d_query + block, totals(room, s.sums), count)
        store_part(room, s.d_squares + block, totals(room, s.other_sums), count)
    inverse = inverse_root(maximum(splat(kept, square), floor))
    d_size = splat(kept, total(d_key_size)) * inverse
    for word in range(0, n.words, lanes(kept)):
        count = n.words - word
        value = load_part(kept, interface + key + word, count)
        d_query = subtract_product(load(room, s.d_query + word), d_size, value)
        store_part(room, s.d_numbers + key + word, load(room, s.squares + word) * d_query, count)
        if n.masked:
            share = load_part(kept, interface + mask + word, count)
            slope = (d_query + load(room, s.d_query + word)) * value
            slope = share * (slope - load(room, s.d_squares + word))
            store_part(room, s.d_numbers + mask + word, slope, count)

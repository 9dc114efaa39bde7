"""Passes over rows of slots that several parts of a step share."""

from __future__ import annotations

import math
from typing import Any

from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, store, store_part
from ntmbench.engine.reductions import totals
from ntmbench.engine.simd import add_product, lanes, largest, maximum, splat, total
from ntmbench.engine.vectormath import exp

from .layout import Layout, Scratch

_LOWEST = -math.inf


@compiled
def products(
    n: Layout, s: Scratch, a: Any, a_at: int, rows: int, b: Any, b_at: int, target: Any, to: int,
    room: Any,
) -> None:  # fmt: skip
    """Inner products of ``rows`` rows of slots, which follow each other, with one row."""
    wide, slot_row = lanes(room), n.slot_row
    for block in range(0, rows, wide):
        count = min(wide, rows - block)
        row = 0
        while row + 4 <= count:
            at = a_at + (block + row) * slot_row
            p, q, r, t = splat(room, 0.0), splat(room, 0.0), splat(room, 0.0), splat(room, 0.0)
            for slot in range(0, slot_row, wide):
                value = load(b, b_at + slot)
                p = add_product(p, value, load(a, at + slot))
                q = add_product(q, value, load(a, at + slot_row + slot))
                r = add_product(r, value, load(a, at + 2 * slot_row + slot))
                t = add_product(t, value, load(a, at + 3 * slot_row + slot))
            to_sums = s.sums + row * wide
            store(room, to_sums, p)
            store(room, to_sums + wide, q)
            store(room, to_sums + 2 * wide, r)
            store(room, to_sums + 3 * wide, t)
            row += 4
        while row < count:
            at = a_at + (block + row) * slot_row
            p = splat(room, 0.0)
            for slot in range(0, slot_row, wide):
                p = add_product(p, load(b, b_at + slot), load(a, at + slot))
            store(room, s.sums + row * wide, p)
            row += 1
        store_part(target, to + block, totals(room, s.sums), count)


@compiled
def row_dot(n: Layout, a: Any, a_at: int, b: Any, b_at: int) -> Any:
    """The inner product of two rows of slots."""
    sums = splat(a, 0.0)
    for slot in range(0, n.slot_row, lanes(a)):
        sums = add_product(sums, load(a, a_at + slot), load(b, b_at + slot))
    return total(sums)


@compiled
def softmax_of_slots(n: Layout, s: Scratch, kept: Any, row: int, room: Any) -> None:
    """Replace a row in ``kept`` by its softmax, zero beyond the last slot."""
    top = splat(kept, _LOWEST)
    for slot in range(0, n.slot_row, lanes(kept)):
        value = load(kept, row + slot) + load(room, s.padding + slot)
        store(kept, row + slot, value)
        top = maximum(value, top)
    highest = splat(kept, largest(top))
    sums = splat(kept, 0.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        value = exp(load(kept, row + slot) - highest)
        store(kept, row + slot, value)
        sums = sums + value
    scale = splat(kept, 1 / total(sums))
    for slot in range(0, n.slot_row, lanes(kept)):
        store(kept, row + slot, load(kept, row + slot) * scale)

"""Freeing slots, their usage, and allocating the least used ones, forward and backward."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.dnc.limits import EPSILON
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_splat, store
from ntmbench.engine.rows import fill
from ntmbench.engine.simd import (
    add_product,
    first,
    lanes,
    splat,
    subtract_product,
    total,
    where_at_least,
    where_below,
)

from .layout import Layout, Scratch

_EPSILON = EPSILON
_REST = 1 - EPSILON


@compiled
def retain(n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any) -> None:
    """Scratch's ``retention``: the part of each slot that no read head frees."""
    one = splat(kept, 1.0)
    gates = now + n.interface + n.free
    for slot in range(0, n.slot_row, lanes(kept)):
        left = one
        for head in range(n.heads):
            weight = load(kept, before + n.read + head * n.slot_row + slot)
            left = left * subtract_product(one, load_splat(kept, gates + head), weight)
        store(room, s.retention + slot, left)


@compiled
def use(n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any) -> None:
    """The usage of each slot, from scratch's ``retention``."""
    for slot in range(0, n.slot_row, lanes(kept)):
        usage = load(kept, before + n.usage + slot)
        written = load(kept, before + n.write + slot)
        usage = subtract_product(usage + written, usage, written)
        store(kept, now + n.usage + slot, usage * load(room, s.retention + slot))


@compiled
def take_usage(n: Layout, s: Scratch, kept: Any, now: int, room: Any) -> None:
    """Scratch's ``used``: the usage as the allocation takes it."""
    epsilon, rest = splat(kept, _EPSILON), splat(kept, _REST)
    for slot in range(0, n.slot_row, lanes(kept)):
        store(room, s.used + slot, epsilon + rest * load(kept, now + n.usage + slot))


@compiled
def put_in_order(n: Layout, s: Scratch, kept: Any, now: int, room: Any) -> None:
    """The order of the slots by scratch's ``used``; the lower of equal ones first.

    A slot's rank is the number of slots before it. Counting takes N^2 comparisons, fewer steps than
    the links take.
    """
    wide = lanes(kept)
    one, zero = splat(kept, 1.0), splat(kept, 0.0)
    fill(kept, now + n.order, n.slot_row, 0.0)
    for block in range(0, n.slot_row, wide):
        mine = load(room, s.used + block)
        a, b = zero, zero
        for other in range(0, block, 2):
            a = a + where_at_least(one, mine, load_splat(room, s.used + other))
            b = b + where_at_least(one, mine, load_splat(room, s.used + other + 1))
        for other in range(block, min(block + wide, n.slots)):
            value = load_splat(room, s.used + other)
            below, level = where_below(one, value, mine), where_at_least(one, mine, value)
            lane = other - block + 1
            a = a + (first(below, lane) + (level - first(level, lane)))
        later = block + wide
        while later + 2 <= n.slots:
            a = a + where_below(one, load_splat(room, s.used + later), mine)
            b = b + where_below(one, load_splat(room, s.used + later + 1), mine)
            later += 2
        if later < n.slots:
            a = a + where_below(one, load_splat(room, s.used + later), mine)
        store(room, s.ranks + block, a + b)
    for slot in range(n.slots):
        # With numbers that are none, ranks may be too high.
        kept[now + n.order + min(int(room[s.ranks + slot]), n.slots - 1)] = slot


@compiled
def allocate(n: Layout, s: Scratch, kept: Any, now: int, room: Any) -> int:
    """Scratch's ``allocated``, from the order and ``used``.

    Returns how many slots come before there is nothing left to allocate. For these it leaves
    in ``ranks`` the part that was left before each.
    """
    fill(room, s.allocated, n.slot_row, 0.0)
    room[s.ranks] = 1
    position = 0
    while position < n.slots and room[s.ranks + position] != 0:
        slot = int(kept[now + n.order + position])
        used, left = room[s.used + slot], room[s.ranks + position]
        room[s.allocated + slot] = (1 - used) * left
        position += 1
        if position < n.slots:
            room[s.ranks + position] = used * left
    return position


@compiled
def allocate_backward(
    n: Layout, s: Scratch, kept: Any, now: int, count: int, room: Any, own: int
) -> None:
    """Add to the gradient of the usage what comes from scratch's ``d_allocated``.

    The order counts as constant. ``allocate`` must have just run, and returned ``count``.
    """
    later = 0.0
    for position in range(count - 1, -1, -1):
        slot = int(kept[now + n.order + position])
        used, slope = room[s.used + slot], room[s.d_allocated + slot]
        at = own + s.d_usage + slot
        room[at] += _REST * (room[s.ranks + position] * (later - slope))
        later = slope * (1 - used) + used * later


@compiled
def use_backward(n: Layout, s: Scratch, kept: Any, before: int, room: Any, own: int) -> None:
    """Take the gradient of a usage to what it was made of.

    ``d_usage`` moves to the step before, ``d_written`` is set, ``d_retention`` is added to.
    """
    one = splat(kept, 1.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        usage = load(kept, before + n.usage + slot)
        written = load(kept, before + n.write + slot)
        slope = load(room, own + s.d_usage + slot)
        all_used = subtract_product(usage + written, usage, written)
        d_retention = load(room, s.d_retention + slot)
        store(room, s.d_retention + slot, add_product(d_retention, slope, all_used))
        slope = slope * load(room, s.retention + slot)
        store(room, own + s.d_usage + slot, slope * (one - written))
        store(room, own + s.d_written + slot, slope * (one - usage))


@compiled
def retain_backward(
    n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any, own: int
) -> None:
    """Take ``d_retention`` to the free gates, and add to the gradients of the read weightings."""
    wide = lanes(kept)
    one = splat(kept, 1.0)
    gates = now + n.interface + n.free
    for head in range(n.heads):
        store(room, s.head_sums + head * wide, splat(kept, 0.0))
    for slot in range(0, n.slot_row, wide):
        # ``left`` holds what the heads before each one retain.
        left = load(room, s.d_retention + slot)
        for head in range(n.heads):
            row = head * n.slot_row + slot
            store(room, s.left + row, left)
            weight = load(kept, before + n.read + row)
            left = left * subtract_product(one, load_splat(kept, gates + head), weight)
        after = one
        for head in range(n.heads - 1, -1, -1):
            row = head * n.slot_row + slot
            weight = load(kept, before + n.read + row)
            gate = load_splat(kept, gates + head)
            slope = load(room, s.left + row) * after
            after = after * subtract_product(one, gate, weight)
            at = own + s.d_read + row
            store(room, at, subtract_product(load(room, at), slope, gate))
            sums = load(room, s.head_sums + head * wide)
            store(room, s.head_sums + head * wide, subtract_product(sums, slope, weight))
    for head in range(n.heads):
        sums = load(room, s.head_sums + head * wide)
        room[s.d_numbers + n.free + head] = total(sums)

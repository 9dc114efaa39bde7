"""The links of one sequence, and the weightings that follow them, forward and backward.

Links are a square of rows and columns that are both as long as a padded row of slots.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.dnc.limits import EPSILON
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, store
from ntmbench.engine.matmul import multiply
from ntmbench.engine.reductions import totals
from ntmbench.engine.rows import copy_vectors, fill
from ntmbench.engine.simd import add_product, lanes, splat, subtract_product, total
from ntmbench.engine.vectormath import log

from .layout import Layout, Scratch
from .passes import products, row_dot, softmax_of_slots

_EPSILON = EPSILON


@compiled
def link(n: Layout, kept: Any, before: int, now: int, room: Any, links: int, target: int) -> None:
    """The links after a write, from their place to one that may be the same. Rows go in fours."""
    one, size = splat(kept, 1.0), n.slot_row
    write, precedence = now + n.write, before + n.precedence
    for row in range(0, size, 4):
        to0, to1 = splat(kept, kept[write + row]), splat(kept, kept[write + row + 1])
        to2, to3 = splat(kept, kept[write + row + 2]), splat(kept, kept[write + row + 3])
        rest0, rest1, rest2, rest3 = one - to0, one - to1, one - to2, one - to3
        for slot in range(0, size, lanes(kept)):
            since, preceding = load(kept, write + slot), load(kept, precedence + slot)
            at = links + row * size + slot
            l0, l1 = load(room, at), load(room, at + size)
            l2, l3 = load(room, at + 2 * size), load(room, at + 3 * size)
            at = target + row * size + slot
            store(room, at, add_product((rest0 - since) * l0, to0, preceding))
            store(room, at + size, add_product((rest1 - since) * l1, to1, preceding))
            store(room, at + 2 * size, add_product((rest2 - since) * l2, to2, preceding))
            store(room, at + 3 * size, add_product((rest3 - since) * l3, to3, preceding))
        for i in range(row, row + 4):
            room[target + i * size + i] = 0


@compiled
def follow(n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any, links: int) -> None:
    """The weightings of the slots written after and before those that were read."""
    size = n.slot_row
    for head in range(n.heads):
        read, to = before + n.read + head * size, now + n.forward + head * size
        products(n, s, room, links, size, kept, read, kept, to, room)
    multiply(
        kept, before + n.read, size, 1,
        room, links, n.lanes, size,
        kept, now + n.backward, size,
        n.heads, size // n.lanes, size, False,
    )  # fmt: skip
    if n.sharpens:
        powers = now + n.interface + n.sharpness
        for head in range(n.heads):
            row = head * size
            _sharpen(
                n, s, kept, powers + head, now + n.forward + row, now + n.sharp_forward + row, room
            )
            power = powers + n.heads + head
            _sharpen(n, s, kept, power, now + n.backward + row, now + n.sharp_backward + row, room)


@compiled
def _sharpen(n: Layout, s: Scratch, kept: Any, power: int, row: int, to: int, room: Any) -> None:
    epsilon = splat(kept, _EPSILON)
    powers = splat(kept, kept[power]) + splat(kept, 1.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        store(kept, to + slot, powers * log(load(kept, row + slot) + epsilon))
    softmax_of_slots(n, s, kept, to, room)


@compiled
def _sharpen_backward(
    n: Layout, s: Scratch, kept: Any, interface: int, power: int, row: int, sharp: int, room: Any,
    slopes: int,
) -> None:  # fmt: skip
    """Gradients of a sharpened row to those of the row, in place, and that of the power."""
    epsilon = splat(kept, _EPSILON)
    powers = splat(kept, kept[interface + power]) + splat(kept, 1.0)
    mean = splat(kept, row_dot(n, kept, sharp, room, slopes))
    sums = splat(kept, 0.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        base = load(kept, row + slot) + epsilon
        slope = load(kept, sharp + slot) * (load(room, slopes + slot) - mean)
        sums = add_product(sums, slope, log(base))
        store(room, slopes + slot, powers * slope / base)
    room[s.d_numbers + power] = total(sums)


@compiled
def mix(n: Layout, kept: Any, now: int) -> None:
    """The read weightings: backward, content and forward in the shares of the read modes."""
    for head in range(n.heads):
        row, modes = head * n.slot_row, now + n.interface + n.modes + 3 * head
        backward, content = splat(kept, kept[modes]), splat(kept, kept[modes + 1])
        forward = splat(kept, kept[modes + 2])
        for slot in range(row, row + n.slot_row, lanes(kept)):
            value = backward * load(kept, now + n.sharp_backward + slot)
            value = add_product(value, content, load(kept, now + n.content + slot))
            value = add_product(value, forward, load(kept, now + n.sharp_forward + slot))
            store(kept, now + n.read + slot, value)


@compiled
def mix_backward(
    n: Layout, s: Scratch, kept: Any, before: int, now: int, head: int, room: Any, own: int
) -> None:
    """From the gradient of a head's weighting to those of its parts.

    Sets the head's rows in ``left`` and ``right``, and ``d_weighting``, the content's.
    """
    size, row = n.slot_row, head * n.slot_row
    interface, modes = now + n.interface, n.modes + 3 * head
    slopes = own + s.d_read + row
    room[s.d_numbers + modes] = row_dot(n, kept, now + n.sharp_backward + row, room, slopes)
    room[s.d_numbers + modes + 1] = row_dot(n, kept, now + n.content + row, room, slopes)
    room[s.d_numbers + modes + 2] = row_dot(n, kept, now + n.sharp_forward + row, room, slopes)
    backward, content = (
        splat(kept, kept[interface + modes]),
        splat(kept, kept[interface + modes + 1]),
    )
    forward = splat(kept, kept[interface + modes + 2])
    d_forward, d_backward = s.left + row, s.right + n.heads * size + row
    for slot in range(0, size, lanes(kept)):
        slope = load(room, slopes + slot)
        store(room, d_forward + slot, forward * slope)
        store(room, s.d_weighting + slot, content * slope)
        store(room, d_backward + slot, backward * slope)
    if n.sharpens:
        _sharpen_backward(
            n, s, kept, interface, n.sharpness + head, now + n.forward + row,
            now + n.sharp_forward + row, room, d_forward,
        )  # fmt: skip
        _sharpen_backward(
            n, s, kept, interface, n.sharpness + n.heads + head, now + n.backward + row,
            now + n.sharp_backward + row, room, d_backward,
        )  # fmt: skip
    read = before + n.read + row
    copy_vectors(kept, read, room, s.left + n.heads * size + row, size)
    copy_vectors(kept, read, room, s.right + row, size)


@compiled
def follow_backward(n: Layout, s: Scratch, room: Any, links: int, own: int) -> None:
    """Take ``left`` and ``right`` to the read weightings before, and add to the links' gradient.

    ``d_read`` is set. ``links`` are those that were followed.
    """
    size, vectors = n.slot_row, n.slot_row // n.lanes
    multiply(
        room, s.left, size, 1,
        room, links, n.lanes, size,
        room, own + s.d_read, size,
        n.heads, vectors, size, False,
    )  # fmt: skip
    for head in range(n.heads):
        d_backward = s.right + (n.heads + head) * size
        products(n, s, room, links, size, room, d_backward, room, s.columns, room)
        at = own + s.d_read + head * size
        for slot in range(0, size, lanes(room)):
            store(room, at + slot, load(room, at + slot) + load(room, s.columns + slot))
    multiply(
        room, s.left, 1, size,
        room, s.right, n.lanes, size,
        room, own + s.d_links, size,
        size, vectors, 2 * n.heads, True,
    )  # fmt: skip


@compiled
def link_backward(
    n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any, links: int, own: int
) -> None:
    """Take the links' gradient to those before the write, at ``links``.

    Adds to ``d_write``, and to ``d_precedence``, which is that of the step before already.
    """
    one, size, wide = splat(kept, 1.0), n.slot_row, lanes(kept)
    write, precedence, d_links = now + n.write, before + n.precedence, own + s.d_links
    fill(room, s.columns, size, 0.0)
    for block in range(0, size, wide):
        for row in range(block, block + wide, 4):
            for i in range(row, row + 4):
                room[d_links + i * size + i] = 0
            to0, to1 = splat(kept, kept[write + row]), splat(kept, kept[write + row + 1])
            to2, to3 = splat(kept, kept[write + row + 2]), splat(kept, kept[write + row + 3])
            rest0, rest1, rest2, rest3 = one - to0, one - to1, one - to2, one - to3
            sum0, sum1 = splat(kept, 0.0), splat(kept, 0.0)
            sum2, sum3 = splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, size, wide):
                since, preceding = load(kept, write + slot), load(kept, precedence + slot)
                column, d_preceding = (
                    load(room, s.columns + slot),
                    load(room, own + s.d_precedence + slot),
                )
                at, to = links + row * size + slot, d_links + row * size + slot
                g, old = load(room, to), load(room, at)
                sum0 = add_product(sum0, g, preceding - old)
                column = subtract_product(column, g, old)
                d_preceding = add_product(d_preceding, g, to0)
                store(room, to, g * (rest0 - since))
                g, old = load(room, to + size), load(room, at + size)
                sum1 = add_product(sum1, g, preceding - old)
                column = subtract_product(column, g, old)
                d_preceding = add_product(d_preceding, g, to1)
                store(room, to + size, g * (rest1 - since))
                g, old = load(room, to + 2 * size), load(room, at + 2 * size)
                sum2 = add_product(sum2, g, preceding - old)
                column = subtract_product(column, g, old)
                d_preceding = add_product(d_preceding, g, to2)
                store(room, to + 2 * size, g * (rest2 - since))
                g, old = load(room, to + 3 * size), load(room, at + 3 * size)
                sum3 = add_product(sum3, g, preceding - old)
                column = subtract_product(column, g, old)
                d_preceding = add_product(d_preceding, g, to3)
                store(room, to + 3 * size, g * (rest3 - since))
                store(room, s.columns + slot, column)
                store(room, own + s.d_precedence + slot, d_preceding)
            at = s.sums + (row - block) * wide
            store(room, at, sum0)
            store(room, at + wide, sum1)
            store(room, at + 2 * wide, sum2)
            store(room, at + 3 * wide, sum3)
        at = s.d_write + block
        store(room, at, load(room, at) + totals(room, s.sums))
    for slot in range(0, size, wide):
        at = s.d_write + slot
        store(room, at, load(room, at) + load(room, s.columns + slot))

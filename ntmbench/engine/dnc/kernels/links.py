"""The links of one sequence, and the weightings that follow them, forward and backward.

Links are a square of rows and columns that are both as long as a padded row of slots.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.dnc.limits import EPSILON
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_splat, store
from ntmbench.engine.matmul import multiply
from ntmbench.engine.reductions import totals
from ntmbench.engine.rows import add_part, copy_vectors, fill
from ntmbench.engine.simd import add_product, first, lanes, splat, subtract_product, total
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
        to0, to1 = load_splat(kept, write + row), load_splat(kept, write + row + 1)
        to2, to3 = load_splat(kept, write + row + 2), load_splat(kept, write + row + 3)
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
    """Links after a write, in place, and the weightings of the slots after and before those read.

    The first head follows the links while they are changed.
    """
    size = n.slot_row
    _link_and_follow(n, s, kept, before, now, room, links)
    for head in range(1, n.heads):
        read, to = before + n.read + head * size, now + n.forward + head * size
        products(n, s, room, links, size, kept, read, kept, to, room)
    if n.heads > 1:
        multiply(
            kept, before + n.read + size, size, 1,
            room, links, n.lanes, size,
            kept, now + n.backward + size, size,
            n.heads - 1, size // n.lanes, size, False,
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
def _link_and_follow(
    n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any, links: int
) -> None:
    one, size, wide = splat(kept, 1.0), n.slot_row, lanes(kept)
    write, precedence, read = now + n.write, before + n.precedence, before + n.read
    backward = now + n.backward
    fill(kept, backward, size, 0.0)
    for diagonal in range(0, size, wide):
        for row in range(diagonal, diagonal + wide, 4):
            to0, to1 = load_splat(kept, write + row), load_splat(kept, write + row + 1)
            to2, to3 = load_splat(kept, write + row + 2), load_splat(kept, write + row + 3)
            r0, r1 = load_splat(kept, read + row), load_splat(kept, read + row + 1)
            r2, r3 = load_splat(kept, read + row + 2), load_splat(kept, read + row + 3)
            rest0, rest1, rest2, rest3 = one - to0, one - to1, one - to2, one - to3
            f0, f1 = splat(kept, 0.0), splat(kept, 0.0)
            f2, f3 = splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, size, wide):
                since, preceding = load(kept, write + slot), load(kept, precedence + slot)
                at = links + row * size + slot
                l0 = add_product((rest0 - since) * load(room, at), to0, preceding)
                l1 = add_product((rest1 - since) * load(room, at + size), to1, preceding)
                l2 = add_product((rest2 - since) * load(room, at + 2 * size), to2, preceding)
                l3 = add_product((rest3 - since) * load(room, at + 3 * size), to3, preceding)
                if slot == diagonal:
                    lane = row - diagonal
                    l0, l1 = _without(l0, lane), _without(l1, lane + 1)
                    l2, l3 = _without(l2, lane + 2), _without(l3, lane + 3)
                store(room, at, l0)
                store(room, at + size, l1)
                store(room, at + 2 * size, l2)
                store(room, at + 3 * size, l3)
                other = load(kept, read + slot)
                f0, f1 = add_product(f0, l0, other), add_product(f1, l1, other)
                f2, f3 = add_product(f2, l2, other), add_product(f3, l3, other)
                sums = add_product(add_product(load(kept, backward + slot), r0, l0), r1, l1)
                sums = add_product(add_product(sums, r2, l2), r3, l3)
                store(kept, backward + slot, sums)
            at = s.sums + (row - diagonal) * wide
            store(room, at, f0)
            store(room, at + wide, f1)
            store(room, at + 2 * wide, f2)
            store(room, at + 3 * wide, f3)
        store(kept, now + n.forward + diagonal, totals(room, s.sums))


@compiled
def _without(vector: Any, lane: int) -> Any:
    """A vector with zero at a lane."""
    return vector - (first(vector, lane + 1) - first(vector, lane))


@compiled
def _sharpen(n: Layout, s: Scratch, kept: Any, power: int, row: int, to: int, room: Any) -> None:
    epsilon = splat(kept, _EPSILON)
    powers = load_splat(kept, power) + splat(kept, 1.0)
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
    powers = load_splat(kept, interface + power) + splat(kept, 1.0)
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
        backward, content = load_splat(kept, modes), load_splat(kept, modes + 1)
        forward = load_splat(kept, modes + 2)
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
        load_splat(kept, interface + modes),
        load_splat(kept, interface + modes + 1),
    )
    forward = load_splat(kept, interface + modes + 2)
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
def follow_backward(
    n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any, links: int, own: int
) -> None:
    """Take ``left`` and ``right``, and the links' gradient, to the step before.

    ``links`` are those before the write, and those after it follow them. ``d_read`` is set. Adds to
    ``d_write``, and to ``d_precedence``, which is that of the step before already.
    """
    size, vectors, others = n.slot_row, n.slot_row // n.lanes, n.heads - 1
    if others > 0:
        linked = links + n.links_size
        multiply(
            room, s.left + size, size, 1,
            room, linked, n.lanes, size,
            room, own + s.d_read + size, size,
            others, vectors, size, False,
        )  # fmt: skip
        for head in range(1, n.heads):
            d_backward = s.right + (n.heads + head) * size
            products(n, s, room, linked, size, room, d_backward, room, s.columns, room)
            add_part(room, s.columns, room, own + s.d_read + head * size, n.slot_row)
        for part in range(2):
            at = (part * n.heads + 1) * size
            multiply(
                room, s.left + at, 1, size,
                room, s.right + at, n.lanes, size,
                room, own + s.d_links, size,
                size, vectors, others, True,
            )  # fmt: skip
    _link_backward(n, s, kept, before, now, room, links, own)


@compiled
def _link_backward(
    n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any, links: int, own: int
) -> None:
    """Back through the first head's following and the linking, two rows at a time.

    The links after the write are computed again on the way. With G for their gradient, L for them,
    K for those before, d and e for the gradients of L w^r and L^T w^r::

        G += d w^r^T + w^r e^T, without the diagonal
        dw^r = L^T d + L e      dp = G^T w      dw = row sums of G (p - K) - column sums of G K
        dK = (1 - w[i] - w[j]) G
    """
    one, size, wide = splat(kept, 1.0), n.slot_row, lanes(kept)
    write, precedence, d_links = now + n.write, before + n.precedence, own + s.d_links
    ahead, back, read = s.left, s.right + n.heads * size, s.right
    d_read, d_precedence = own + s.d_read, own + s.d_precedence
    fill(room, s.columns, size, 0.0)
    fill(room, d_read, size, 0.0)
    for diagonal in range(0, size, wide):
        for row in range(diagonal, diagonal + wide, 2):
            to0, to1 = load_splat(kept, write + row), load_splat(kept, write + row + 1)
            d0, d1 = load_splat(room, ahead + row), load_splat(room, ahead + row + 1)
            r0, r1 = load_splat(room, read + row), load_splat(room, read + row + 1)
            rest0, rest1 = one - to0, one - to1
            sum0, sum1 = splat(kept, 0.0), splat(kept, 0.0)
            e0, e1 = splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, size, wide):
                since, preceding = load(kept, write + slot), load(kept, precedence + slot)
                other, e = load(room, read + slot), load(room, back + slot)
                at, to = links + row * size + slot, d_links + row * size + slot
                k0, k1 = load(room, at), load(room, at + size)
                c0, c1 = rest0 - since, rest1 - since
                l0, l1 = add_product(c0 * k0, to0, preceding), add_product(c1 * k1, to1, preceding)
                g0 = add_product(add_product(load(room, to), d0, other), r0, e)
                g1 = add_product(add_product(load(room, to + size), d1, other), r1, e)
                if slot == diagonal:
                    lane = row - diagonal
                    l0, l1 = _without(l0, lane), _without(l1, lane + 1)
                    g0, g1 = _without(g0, lane), _without(g1, lane + 1)
                e0, e1 = add_product(e0, l0, e), add_product(e1, l1, e)
                sum0 = add_product(sum0, g0, preceding - k0)
                sum1 = add_product(sum1, g1, preceding - k1)
                value = add_product(add_product(load(room, d_read + slot), d0, l0), d1, l1)
                store(room, d_read + slot, value)
                value = load(room, s.columns + slot)
                value = subtract_product(subtract_product(value, g0, k0), g1, k1)
                store(room, s.columns + slot, value)
                value = load(room, d_precedence + slot)
                store(room, d_precedence + slot, add_product(add_product(value, g0, to0), g1, to1))
                store(room, to, g0 * c0)
                store(room, to + size, g1 * c1)
            at = (row - diagonal) * wide
            store(room, s.sums + at, sum0)
            store(room, s.sums + at + wide, sum1)
            store(room, s.other_sums + at, e0)
            store(room, s.other_sums + at + wide, e1)
        at = s.d_write + diagonal
        store(room, at, load(room, at) + totals(room, s.sums))
        store(room, s.followed + diagonal, totals(room, s.other_sums))
    add_part(room, s.columns, room, s.d_write, n.slot_row)
    add_part(room, s.followed, room, d_read, n.slot_row)

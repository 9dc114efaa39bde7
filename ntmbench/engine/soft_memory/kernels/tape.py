"""Tapes that move under their heads in part, for one sequence.

A tape is a ring of cells, the one under the head first. It stands twice, one copy behind the other:
so the tape as seen from any of its cells is a stretch of numbers.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_part, load_splat, store_part
from ntmbench.engine.rows import add_part, copy, fill_part
from ntmbench.engine.simd import add_product, first, lanes, splat, total
from ntmbench.engine.softmax import softmax_backward

from .layout import TAPE_ACTIONS, Sizes


@compiled
def write(n: Sizes, kept: Any, written: int, room: Any, tapes: int) -> None:
    """Put what was ``written`` under the heads."""
    size = n.cells * n.cell
    for tape in range(n.memories):
        head = tapes + tape * n.memory_row
        copy(kept, written + tape * n.cell, room, head, n.cell)
        copy(kept, written + tape * n.cell, room, head + size, n.cell)


@compiled
def move(n: Sizes, kept: Any, asked: int, room: Any, old: int, new: int, jump: int) -> None:
    """Go from the tapes at ``old`` in the room, after writing, to those after the step."""
    size = n.cells * n.cell
    for tape in range(n.memories):
        action = asked + tape * TAPE_ACTIONS
        stay = load_splat(kept, action)
        left, right = load_splat(kept, action + 1), load_splat(kept, action + 2)
        jump_left, jump_right = load_splat(kept, action + 3), load_splat(kept, action + 4)
        # The cell to the left of the first one is the last one.
        at = old + tape * n.memory_row
        from_left, from_right = at + size - n.cell, at + n.cell
        from_far_left = at + (size - jump * n.cell) % size
        from_far_right = at + jump * n.cell
        to = new + tape * n.memory_row
        for i in range(0, size, lanes(room)):
            value = stay * load(room, at + i)
            value = add_product(value, left, load(room, from_left + i))
            value = add_product(value, right, load(room, from_right + i))
            value = add_product(value, jump_left, load(room, from_far_left + i))
            value = add_product(value, jump_right, load(room, from_far_right + i))
            store_part(room, to + i, value, size - i)
            store_part(room, to + size + i, value, size - i)


@compiled
def read(n: Sizes, room: Any, tapes: int, kept: Any, to: int) -> None:
    """Copy the cells under the heads."""
    for tape in range(n.memories):
        copy(room, tapes + tape * n.memory_row, kept, to + tape * n.cell, n.cell)


@compiled
def move_back(
    n: Sizes,
    kept: Any,
    asked: int,
    written: int,
    room: Any,
    old: int,
    d_new: int,
    d_old: int,
    d_heads: int,
    jump: int,
) -> None:
    """Go back through ``move``, ``write`` and the softmax of the actions.

    The actions are replaced by the gradients of what gave them, and what was ``written`` by its
    own. ``old`` are the tapes after writing; ``d_new`` the gradients of those that the step left,
    to which ``d_heads``, those of the cells that the next step sees, are added first.
    """
    size = n.cells * n.cell
    for tape in range(n.memories):
        action = asked + tape * TAPE_ACTIONS
        stay = load_splat(kept, action)
        left, right = load_splat(kept, action + 1), load_splat(kept, action + 2)
        jump_left, jump_right = load_splat(kept, action + 3), load_splat(kept, action + 4)
        to_left, to_right = size - n.cell, n.cell
        to_far_left, to_far_right = (size - jump * n.cell) % size, jump * n.cell
        at = old + tape * n.memory_row
        slopes, to = d_new + tape * n.memory_row, d_old + tape * n.memory_row
        add_part(room, d_heads + tape * n.cell, room, slopes, n.cell)
        add_part(room, d_heads + tape * n.cell, room, slopes + size, n.cell)
        stays = splat(room, 0.0)
        lefts, rights, jumps_left, jumps_right = stays, stays, stays, stays
        for i in range(0, size, lanes(room)):
            rest = size - i
            slope = load_part(room, slopes + i, rest)
            stays = add_product(stays, slope, first(load(room, at + i), rest))
            lefts = add_product(lefts, slope, first(load(room, at + to_left + i), rest))
            rights = add_product(rights, slope, first(load(room, at + to_right + i), rest))
            far_left = first(load(room, at + to_far_left + i), rest)
            far_right = first(load(room, at + to_far_right + i), rest)
            jumps_left = add_product(jumps_left, slope, far_left)
            jumps_right = add_product(jumps_right, slope, far_right)
            # What went to the right came from the left.
            value = stay * slope
            value = add_product(value, left, load(room, slopes + to_right + i))
            value = add_product(value, right, load(room, slopes + to_left + i))
            value = add_product(value, jump_left, load(room, slopes + to_far_right + i))
            value = add_product(value, jump_right, load(room, slopes + to_far_left + i))
            store_part(room, to + i, value, rest)
            store_part(room, to + size + i, value, rest)
        copy(room, to, kept, written + tape * n.cell, n.cell)
        # What stood under the head was lost.
        fill_part(room, to, n.cell, 0.0)
        fill_part(room, to + size, n.cell, 0.0)
        room[n.slopes_at] = total(stays)
        room[n.slopes_at + 1] = total(lefts)
        room[n.slopes_at + 2] = total(rights)
        room[n.slopes_at + 3] = total(jumps_left)
        room[n.slopes_at + 4] = total(jumps_right)
        softmax_backward(kept, action, room, n.slopes_at, TAPE_ACTIONS)

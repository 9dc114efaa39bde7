"""Stacks that are pushed and popped in part, for one sequence.

A stack is a stretch of numbers, cell after cell from the top down, with room for one cell before
it. At first all cells are empty, and each step can change one more of them. So a step works on
those that may have been changed, and the two empty ones that follow are set when they are needed.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.activations import sigmoid_backward, sigmoid_forward
from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_part, load_splat, store_part
from ntmbench.engine.rows import add_part, copy, fill_part
from ntmbench.engine.simd import add_product, first, lanes, splat, total
from ntmbench.engine.softmax import softmax, softmax_backward

from .layout import STACK_ACTIONS, Sizes


@compiled
def activate(n: Sizes, kept: Any, asked: int) -> None:
    """What is asked of the stacks, in the range of each number: actions, then what is pushed."""
    for stack in range(n.memories):
        softmax(kept, asked + stack * STACK_ACTIONS, STACK_ACTIONS)
    sigmoid_forward(kept, asked + n.memories * STACK_ACTIONS, n.heads)


@compiled
def complete(n: Sizes, kept: Any, asked: int, room: Any, old: int, step: int) -> None:
    """Put what a step pushes in front of the stacks that it finds, and empty cells behind them."""
    used = min(step, n.cells) * n.cell
    for stack in range(n.memories):
        pushed = asked + n.memories * STACK_ACTIONS + stack * n.cell
        start = old + stack * n.memory_row
        copy(kept, pushed, room, start, n.cell)
        fill_part(room, start + n.cell + used, 2 * n.cell, n.empty)


@compiled
def move(n: Sizes, kept: Any, asked: int, room: Any, old: int, new: int, step: int) -> None:
    """Go from the completed stacks at ``old`` in the room to those after the step, at ``new``."""
    count = min(step + 1, n.cells) * n.cell
    for stack in range(n.memories):
        action = asked + stack * STACK_ACTIONS
        push = load_splat(kept, action)
        pop = load_splat(kept, action + 1)
        stay = load_splat(kept, action + 2)
        top = old + stack * n.memory_row + n.cell
        to = new + stack * n.memory_row + n.cell
        for i in range(0, count, lanes(room)):
            value = push * load(room, top + i - n.cell)
            value = add_product(value, pop, load(room, top + i + n.cell))
            value = add_product(value, stay, load(room, top + i))
            store_part(room, to + i, value, count - i)


@compiled
def read(n: Sizes, room: Any, stacks: int, kept: Any, to: int) -> None:
    """Copy the tops."""
    for stack in range(n.memories):
        top = stacks + stack * n.memory_row + n.cell
        copy(room, top, kept, to + stack * n.cell, n.cell)


@compiled
def move_back(
    n: Sizes,
    kept: Any,
    asked: int,
    room: Any,
    old: int,
    d_new: int,
    d_old: int,
    d_tops: int,
    step: int,
) -> None:
    """Go back through ``move`` and ``activate``.

    What is asked is replaced by the gradients of what gave it. ``old`` are the stacks that the step
    found, completed; ``d_new`` the gradients of those that it left, to which ``d_tops``, those of
    their tops as the next step and the answer see them, are added first.
    """
    used = min(step, n.cells) * n.cell
    count = min(step + 1, n.cells) * n.cell
    for stack in range(n.memories):
        action = asked + stack * STACK_ACTIONS
        pushed = asked + n.memories * STACK_ACTIONS + stack * n.cell
        push = load_splat(kept, action)
        pop = load_splat(kept, action + 1)
        stay = load_splat(kept, action + 2)
        top = old + stack * n.memory_row + n.cell
        slopes = d_new + stack * n.memory_row + n.cell
        to = d_old + stack * n.memory_row + n.cell
        add_part(room, d_tops + stack * n.cell, room, slopes, n.cell)
        # Nothing comes from above the top, nor from below the cells that were changed.
        fill_part(room, slopes - n.cell, n.cell, 0.0)
        fill_part(room, slopes + count, n.cell, 0.0)
        pushes = splat(room, 0.0)
        pops, stays = pushes, pushes
        for i in range(0, count, lanes(room)):
            slope = load_part(room, slopes + i, count - i)
            left = count - i
            pushes = add_product(pushes, slope, first(load(room, top + i - n.cell), left))
            pops = add_product(pops, slope, first(load(room, top + i + n.cell), left))
            stays = add_product(stays, slope, first(load(room, top + i), left))
            value = push * load(room, slopes + i + n.cell)
            value = add_product(value, pop, load(room, slopes + i - n.cell))
            value = add_product(value, stay, slope)
            store_part(room, to + i, value, used - i)
        for i in range(0, n.cell, lanes(room)):
            slope = push * load_part(room, slopes + i, n.cell - i)
            store_part(room, slopes + i, slope, n.cell - i)
        sigmoid_backward(kept, pushed, room, slopes, kept, pushed, n.cell)
        room[n.slopes_at] = total(pushes)
        room[n.slopes_at + 1] = total(pops)
        room[n.slopes_at + 2] = total(stays)
        softmax_backward(kept, action, room, n.slopes_at, STACK_ACTIONS)

"""Shapes of well-nested strings: how they are drawn, and what is likely at each of their steps.

A shape of L pairs is a walk of 2L steps, up where a bracket opens and down where one closes, that
begins and ends at depth 0. All those that stay within a depth are equally likely.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.symbols import SILENT

Floats = NDArray[np.float64]


@lru_cache(maxsize=64)
def opening(pairs: int, max_depth: int) -> Floats:
    """How likely a bracket opens at each step at each depth, ``[2L, depth + 1]``."""
    most = min(pairs, max_depth)
    likely = np.zeros((2 * pairs, most + 1))
    ways = np.zeros(most + 3)  # of ending at depth 0; beside the depths, those out of bounds
    ways[1] = 1
    for step in reversed(range(2 * pairs)):
        up, down = ways[2:], ways[:-2]
        both = up + down
        likely[step] = np.divide(up, both, out=np.zeros(most + 1), where=both > 0)
        ways[1:-1] = both / both.max()
    return likely


@dataclass(frozen=True)
class Likely:
    """What is likely after each step, each ``[2L]``.

    Attributes:
        opened: that a bracket has just opened.
        none: that none is open.
        first: that only the first one is open, which has not been closed.
    """

    opened: Floats
    none: Floats
    first: Floats


@lru_cache(maxsize=64)
def likely_after(pairs: int, max_depth: int) -> Likely:
    """What is likely after each step of a shape."""
    up = opening(pairs, max_depth)
    steps, depths = up.shape
    opened, none, first = np.zeros((3, steps))
    everywhere = np.zeros(depths)
    everywhere[0] = 1
    never_closed = everywhere.copy()
    for step in range(steps):
        opened[step] = everywhere @ up[step]
        everywhere, never_closed = (_after(at, up[step]) for at in (everywhere, never_closed))
        none[step], first[step] = everywhere[0], never_closed[1]
        never_closed[0] = 0
    return Likely(opened, none, first)


def _after(at: Floats, up: Floats) -> Floats:
    """How likely each depth is after a step, from how likely each was before."""
    after = np.zeros_like(at)
    after[1:] += (at * up)[:-1]
    after[:-1] += (at * (1 - up))[1:]
    return after


def open_brackets(opens: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """For shapes ``[2L, B]``, the step at which the bracket opened ...

    Returns:
        ... that is the last one open after each step, SILENT where none is; and the one that each
        step closes, SILENT where it opens one.
    """
    steps, batch_size = opens.shape
    sequence = np.arange(batch_size)
    stack = np.full((steps + 1, batch_size), SILENT)
    due, closed = np.full((2, steps, batch_size), SILENT)
    depth = np.zeros(batch_size, np.int64)
    for step, up in enumerate(opens):
        closed[step] = np.where(up, SILENT, stack[depth, sequence])
        depth += np.where(up, 1, -1)
        stack[depth[up], sequence[up]] = step
        due[step] = stack[depth, sequence]
    return due, closed


def with_other_kinds(shown: Integers, kinds: int) -> Integers:
    """Strings ``[E, 2L, B]`` that have each pair of ``shown [2L, B]`` by itself of another kind.

    A bracket that opens is the number of its kind, and one that closes is ``kinds`` more. With one
    kind there is only the string itself.
    """
    _, closed = open_brackets(shown < kinds)
    opened_by = np.where(closed == SILENT, np.arange(len(shown))[:, np.newaxis], closed)
    closes = np.where(shown < kinds, 0, kinds)
    edited = [
        np.where(opened_by == step, (shown + shift) % kinds, shown % kinds) + closes
        for step in range(len(shown))
        for shift in range(1, kinds)
    ]
    return np.stack(edited) if edited else shown[np.newaxis]

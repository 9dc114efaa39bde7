"""Shortest path: try all ways of one edge, then of two, and so on, until one arrives."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    symbols = [row.index(1) for row in rows if 1 in row]
    *told, _, start, goal = symbols
    beside: dict[int, list[int]] = {}
    for one, other in zip(told[::2], told[1::2], strict=True):
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    ways = [[start]]
    while not (arrived := [way for way in ways if way[-1] == goal]):
        ways = [[*way, node] for way in ways for node in beside[way[-1]] if node not in way]
    (way,) = arrived
    return one_hot(way[1:-1], task.names)


def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.integers(2, 3))
    return {
        "names": draw(st.integers(25, 30)),
        "width": draw(st.integers(2, 3)),
        "min_length": draw(st.integers(2, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 2 * length * 4 + 3 + length - 1

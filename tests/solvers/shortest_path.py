"""Shortest path: try all ways of one edge, then of two, and so on, until some arrive."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    symbols = [row.index(1) for row in rows if 1 in row]
    *told, _, start, goal = symbols
    beside: dict[int, list[tuple[int, int]]] = {}
    for one, label, other in zip(told[::3], told[1::3], told[2::3], strict=True):
        beside.setdefault(one, []).append((label, other))
        beside.setdefault(other, []).append((label, one))
    ways: list[tuple[list[int], list[int]]] = [([], [start])]  # the labels and the nodes of each
    while not (arrived := [way for way in ways if way[1][-1] == goal]):
        ways = [
            ([*labels, label], [*nodes, node])
            for labels, nodes in ways
            for label, node in beside[nodes[-1]]
            if node not in nodes
        ]
    assert len({tuple(labels) for labels, _ in arrived}) == len(arrived), "labels decide"
    _, way = min(arrived)
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
    return 3 * (length * 4 - 1) + 3 + length - 1

"""Reachability: go from the first node along edges that were not gone before."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    *told, _, start, goal = [row.index(1) for row in rows[:-1]]
    edges = list(zip(told[::2], told[1::2], strict=True))
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        for edge in edges:
            if node in edge:
                (other,) = set(edge) - {node}
                waiting += [other] if other not in seen else []
                seen.add(other)
    return one_hot([int(goal in seen)], 2)


def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.integers(4, 8))
    return {
        "names": 22,  # as many as nodes that are selected or tested
        "min_length": draw(st.integers(4, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 2 * (length - 2) + 4

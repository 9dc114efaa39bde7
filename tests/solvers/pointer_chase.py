"""Pointer chase: a table from each node to the next."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    shown = [row.index(1) for row in rows]
    hops = shown.count(task.symbols) // task.queries
    end = len(shown) - task.queries * (1 + hops)
    follows = dict(zip(shown[:end:2], shown[1:end:2], strict=True))
    answers = []
    for start in shown[end :: 1 + hops]:
        node = start
        for _ in range(hops):
            node = follows[node]
        answers.append(node)
    return one_hot(answers, task.symbols)


def settings(draw: st.DrawFn) -> Settings:
    hops = draw(st.integers(1, 3))
    least = hops + draw(st.integers(1, 3))
    return {
        "symbols": draw(st.integers(12, 16)),  # more than are selected
        "hops": hops,
        "queries": draw(st.integers(1, 4)),
        "min_length": least,
        "max_length": least + draw(st.integers(0, 2)),
    }


def steps(length: int) -> int:
    return 2 * length + 4 * (1 + 3)

"""Recall: the item after the first one that equals the query."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    items: list[Rows] = []
    query: Rows = []
    queries = 0
    for row in rows:
        if row[task.bits + 1]:
            queries += 1
        elif queries == 1:
            query.append(row[: task.bits])
        elif row[task.bits]:
            items.append([])
        elif queries == 0:
            items[-1].append(row[: task.bits])
    asked = items.index(query)
    assert asked < len(items) - 1, "the last item was asked for"
    return items[asked + 1]


def settings(draw: st.DrawFn) -> Settings:
    return {
        "bits": draw(st.integers(1, 10)),
        "item_length": draw(st.integers(1, 4)),
        **training_lengths(draw, shortest=2),
    }


def steps(length: int) -> int:
    return length * (1 + 3) + (1 + 3 + 1) + 3

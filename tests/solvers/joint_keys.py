"""Joint keys: a table by pairs of symbols."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    symbols = [row.index(1) for row in rows]
    queries = len(rows) * 3 // 5
    table = {}
    for step in range(0, queries, 3):
        first, second, value = symbols[step : step + 3]
        table[first, second] = value - task.symbols
    asked = range(queries, len(rows), 2)
    return one_hot([table[symbols[step], symbols[step + 1]] for step in asked], task.values)


def settings(draw: st.DrawFn) -> Settings:
    return {
        "symbols": draw(st.integers(6, 8)),  # more keys than any pairs that are tested
        "values": draw(st.integers(2, 5)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return 3 * length + 2 * length

"""Stack: a list that is changed operation by operation."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    held: list[int] = []
    for row in rows:
        if 1 not in row:
            continue
        symbol = row.index(1)
        if symbol < 2 * task.symbols:
            held.append(symbol % task.symbols)
        elif symbol == 2 * task.symbols and held:
            held.pop()
    return one_hot([*reversed(held), task.symbols], task.symbols + 1)


def settings(draw: st.DrawFn) -> Settings:
    return {"symbols": draw(st.integers(2, 6)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + length + 1 + 2 * length + 1

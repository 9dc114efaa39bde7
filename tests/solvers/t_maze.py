"""T-maze: walk, keep the latest sign in mind, and turn at the junction."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    turns: Rows = []
    sign = [0.0, 0.0]
    for left, right, junction, *_ in rows:
        if left or right:
            sign = [left, right]
        if junction:
            turns.append(sign)
    return turns


def settings(draw: st.DrawFn) -> Settings:
    return {
        "mazes": draw(st.integers(1, 5)),
        "pictures": draw(st.integers(1, 5)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return 4 * (1 + length + 1)

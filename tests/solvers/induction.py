"""Induction: search backwards for the symbol, and look at the next one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    shown = [row.index(1) for row in rows]
    answers = []
    for step in range(task.symbols, len(shown)):
        before = next(place for place in range(step - 1, -1, -1) if shown[place] == shown[step])
        answers.append(shown[before + 1])
    return one_hot(answers, task.symbols)


def settings(draw: st.DrawFn) -> Settings:
    return {"symbols": draw(st.integers(2, 10)), **training_lengths(draw)}


def steps(length: int) -> int:
    return 8 + length

"""Brackets: a list of the brackets that are open."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    opened: list[int] = []
    answers = []
    for row in rows:
        bracket = row.index(1)
        if bracket < task.kinds:
            opened.append(bracket)
            assert len(opened) <= task.max_depth
        else:
            assert opened.pop() == bracket - task.kinds
        answers.append(opened[-1] if opened else task.kinds)
    assert not opened
    return one_hot(answers, task.kinds + 1)


def settings(draw: st.DrawFn) -> Settings:
    return {
        "kinds": draw(st.integers(1, 4)),
        "max_depth": draw(st.integers(1, 12)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return 2 * length

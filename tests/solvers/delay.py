"""Delay: a queue that gives a symbol out from the step of the sign on."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    queue, given, begun = [], [], False
    for row in rows:
        queue.append(row[: task.symbols])
        begun = begun or row[task.symbols] == 1
        if begun:
            given.append(queue.pop(0))
    return given


def settings(draw: st.DrawFn) -> Settings:
    return {
        "symbols": draw(st.integers(2, 10)),
        "answers": draw(st.integers(1, 8)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return length + 20

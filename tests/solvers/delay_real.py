"""Delay of numbers: a queue that gives a number out from the step of the sign on."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    queue, given, begun = [], [], False
    for number, sign in rows:
        queue.append([number])
        begun = begun or sign == 1
        if begun:
            given.append(queue.pop(0))
    return given


def settings(draw: st.DrawFn) -> Settings:
    return {
        "answers": draw(st.integers(1, 8)),
        "tolerance": draw(st.floats(0.001, 1)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return length + 20

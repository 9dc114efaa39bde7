"""Periodic: the first period, again and again."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, symbols_before, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    pattern = symbols_before(rows, task.symbols)
    period, hidden = len(pattern), task.symbols + 1
    later = [row.index(1) for row in rows[period + 1 :]]
    asked = [step for step, symbol in enumerate(later) if symbol == hidden]
    return one_hot([pattern[step % period] for step in asked], task.symbols)


def settings(draw: st.DrawFn) -> Settings:
    return {
        "symbols": draw(st.integers(2, 10)),
        "repeats": draw(st.integers(1, 4)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return length + 1 + 3 * length

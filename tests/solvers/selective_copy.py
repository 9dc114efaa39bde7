"""Selective copy: what is shown before the delimiter, without the blanks."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, symbols_before, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    blank = task.symbols
    shown = symbols_before(rows, blank + 1)
    return one_hot([symbol for symbol in shown if symbol != blank], task.symbols)


def settings(draw: st.DrawFn) -> Settings:
    return {
        "symbols": draw(st.integers(2, 10)),
        "blanks": draw(st.integers(0, 4)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return 4 * length + 1 + length

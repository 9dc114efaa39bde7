"""Odds first: the first, the third and so on, and then the others."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, symbols_before, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    shown = symbols_before(rows, task.symbols)
    odd: list[int] = []
    even: list[int] = []
    for place, symbol in enumerate(shown, start=1):
        (odd if place % 2 else even).append(symbol)
    return one_hot(odd + even, task.symbols)


def settings(draw: st.DrawFn) -> Settings:
    return {"symbols": draw(st.integers(2, 10)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + 1 + length

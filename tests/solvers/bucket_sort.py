"""Bucket sort: Python's own sorting."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, symbols_before, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    return one_hot(sorted(symbols_before(rows, task.symbols)), task.symbols)


def settings(draw: st.DrawFn) -> Settings:
    return {"symbols": draw(st.integers(2, 8)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + 1 + length

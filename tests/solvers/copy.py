"""Copy: the vectors before the delimiter."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths, vectors_before


def solve(rows: Rows, task: Any) -> Rows:
    return vectors_before(rows, task.bits, task.bits)


def settings(draw: st.DrawFn) -> Settings:
    return {"bits": draw(st.integers(1, 10)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + 1 + length

"""Distracted copy: keep the rows with a mark."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    return [row[: task.bits] for row in rows if row[task.bits]]


def settings(draw: st.DrawFn) -> Settings:
    return {
        "bits": draw(st.integers(1, 10)),
        "marked": draw(st.integers(1, 6)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return 5 + length + 1 + 5

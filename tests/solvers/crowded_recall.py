"""Crowded recall: the value of the first key that equals the query."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    *pairs, asked, _ = [row[: task.bits] for row in rows]
    return [pairs[pairs[::2].index(asked) * 2 + 1]]


def settings(draw: st.DrawFn) -> Settings:
    return {
        "bits": draw(st.integers(1, 12)),
        "slots": draw(st.integers(1, 20)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return 2 * length + 1 + 1

"""Aged recall: the value of the first key that equals the query, whatever came between."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    query = next(row[: task.bits] for row in rows if row[task.bits + 1])
    for row, after in pairwise(rows):
        if row[task.bits] and row[: task.bits] == query:
            return [after[: task.bits]]
    raise AssertionError("the query was not shown")


def settings(draw: st.DrawFn) -> Settings:
    return {
        "bits": draw(st.integers(1, 12)),
        "pairs": draw(st.integers(1, 6)),
        "chatter": draw(st.booleans()),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return 2 * 4 + length + 1 + 1

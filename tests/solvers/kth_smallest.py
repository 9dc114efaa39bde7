"""K-th smallest: sorted lists of bits, of which one is taken."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    *numbers, rank, _ = (row[: task.bits] for row in rows)
    before = int("".join(str(int(bit)) for bit in rank), 2)
    return [sorted(numbers)[before]]


def settings(draw: st.DrawFn) -> Settings:
    # Enough numbers for the ranks of any sequence that is tested.
    return {"bits": draw(st.integers(6, 8)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + 1 + 1

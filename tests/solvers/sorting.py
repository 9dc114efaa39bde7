"""Sorting: the vectors before the delimiter, by the numbers that their digits spell."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths, vectors_before


def solve(rows: Rows, task: Any) -> Rows:
    vectors = vectors_before(rows, task.bits, task.bits)
    return sorted(vectors, key=lambda row: int("".join(str(int(bit)) for bit in row), 2))


def settings(draw: st.DrawFn) -> Settings:
    return {"bits": draw(st.integers(1, 64)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + 1 + length

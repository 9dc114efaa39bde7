"""Both ways: two tables, one for each direction."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    bits, half = task.bits, len(rows) // 2
    to_right, to_left = {}, {}
    for row in rows[:half]:
        left, right = row[:bits], row[bits : 2 * bits]
        to_right[tuple(left)], to_left[tuple(right)] = right, left
    return [
        to_right[tuple(row[:bits])] if row[2 * bits] else to_left[tuple(row[bits : 2 * bits])]
        for row in rows[half:]
    ]


def settings(draw: st.DrawFn) -> Settings:
    # Enough halves for any pairs that are tested.
    return {"bits": draw(st.integers(6, 7)), **training_lengths(draw)}


def steps(length: int) -> int:
    return 2 * length

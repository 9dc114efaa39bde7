"""Variables: carry out the assignments one by one, and look the last variable up."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    numbers: dict[int, int] = {}
    symbols = [row.index(1) for row in rows[:-1]]
    *facts, _, asked = symbols
    for place in range(0, len(facts), 3):
        left, _, right = facts[place : place + 3]
        numbers[left] = right if right < task.values else numbers[right]
    return one_hot([numbers[asked]], task.values)


def settings(draw: st.DrawFn) -> Settings:
    chains = draw(st.integers(1, 3))
    longest = draw(st.integers(1, 3))
    return {
        "names": 13 * chains,  # enough for all copies that are selected or tested
        "values": draw(st.integers(2, 5)),
        "chains": chains,
        "min_length": draw(st.integers(1, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 3 * 2 * (length + 1) + 3

"""N-grams: the optimal estimate for each step from the first whole context on."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    bits = [int(row[0]) for row in rows]
    seen: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    estimates = []
    for step in range(task.context - 1, len(bits)):
        counts = seen[tuple(bits[step + 1 - task.context : step + 1])]
        estimates.append([(counts[1] + 0.5) / (counts[0] + counts[1] + 1)])
        if step + 1 < len(bits):
            counts[bits[step + 1]] += 1
    return estimates


def settings(draw: st.DrawFn) -> Settings:
    context = draw(st.integers(1, 4))
    return {"context": context, **training_lengths(draw, shortest=context + 1)}


def steps(length: int) -> int:
    return length - 1

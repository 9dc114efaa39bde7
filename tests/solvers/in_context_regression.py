"""In-context regression: the Gaussian over the map's weights, updated by one example at a time."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    count = task.dimensions
    mean = [0.0] * count
    spread = [[(row == column) / count for column in range(count)] for row in range(count)]
    answers: Rows = []
    for *x, value, question in rows:
        if question:
            answers.append([dot(mean, x)])
            continue
        toward = [dot(row, x) for row in spread]
        uncertainty = dot(toward, x) + task.noise**2
        surprise = value - dot(mean, x)
        mean = [old + step * surprise / uncertainty for old, step in zip(mean, toward, strict=True)]
        spread = [
            [old - one * other / uncertainty for old, other in zip(row, toward, strict=True)]
            for row, one in zip(spread, toward, strict=True)
        ]
    return answers


def dot(one: list[float], other: list[float]) -> float:
    """The scalar product."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def settings(draw: st.DrawFn) -> Settings:
    return {
        "dimensions": draw(st.integers(1, 5)),
        "questions": draw(st.integers(1, 4)),
        "noise": draw(st.floats(0.1, 2)),
        "tolerance": draw(st.floats(0.01, 1)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return length + 4

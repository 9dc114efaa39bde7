"""Priority sort: the first rows by falling priority."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths, vectors_before


def solve(rows: Rows, task: Any) -> Rows:
    shown = vectors_before(rows, task.bits + 1, task.bits + 1)
    ordered = sorted(shown, key=lambda row: -row[task.bits])
    return [row[: task.bits] for row in ordered[: task.answers]]


def settings(draw: st.DrawFn) -> Settings:
    answers = draw(st.integers(1, 8))
    return {
        "bits": draw(st.integers(1, 10)),
        "answers": answers,
        **training_lengths(draw, shortest=answers),
    }


def steps(length: int) -> int:
    return length + 1 + 16

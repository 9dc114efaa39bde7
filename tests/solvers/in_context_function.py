"""In-context function: strike out the functions that do not agree, and ask those that are left."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    left = list(product((0.0, 1.0), repeat=task.variables))
    answers: Rows = []
    for *bits, yes, no in rows:
        if yes or no:
            left = [wishes for wishes in left if says_yes(wishes, bits) == bool(yes)]
        else:
            answers.append([sum(says_yes(wishes, bits) for wishes in left) / len(left)])
    return answers


def says_yes(wishes: tuple[float, ...], bits: list[float]) -> bool:
    """Whether more bits are as wished than not."""
    alike = [wish == bit for wish, bit in zip(wishes, bits, strict=True)]
    return alike.count(True) > alike.count(False)


def settings(draw: st.DrawFn) -> Settings:
    return {
        "variables": draw(st.sampled_from([1, 3, 5])),
        "questions": draw(st.integers(1, 4)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return length + 4

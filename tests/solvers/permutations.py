"""Permutations: things in a row that every element moves."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    names = task.input_names
    became = list(range(1, len(names[0]) + 1))
    answers = []
    for row in rows:
        element = names[row.index(1)]
        became = [int(element[image - 1]) for image in became]
        answers.append(names.index("".join(map(str, became))))
    return one_hot(answers, len(names))


def settings(draw: st.DrawFn) -> Settings:
    return {"group": draw(st.sampled_from(["s3", "a5", "s5"])), **training_lengths(draw)}


def steps(length: int) -> int:
    return length

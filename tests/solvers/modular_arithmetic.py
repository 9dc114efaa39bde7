"""Modular arithmetic: whole numbers, and one remainder at the end."""

from __future__ import annotations

import operator
from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, symbols_before, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    result, *others = symbols_before(rows, task.modulus + 3)
    for sign, term in zip(others[::2], others[1::2], strict=True):
        apply = (operator.add, operator.sub, operator.mul)[sign - task.modulus]
        result = apply(result, term)
    return one_hot([result % task.modulus], task.modulus)


def settings(draw: st.DrawFn) -> Settings:
    return {"modulus": draw(st.integers(2, 12)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + (length - 1) + 1 + 1

"""Bracketed arithmetic: whole numbers by recursion, and one remainder at the end."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, symbols_before, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    def value() -> int:
        symbol = next(symbols)
        if symbol < task.modulus:
            return symbol
        assert symbol == task.modulus + 3, "every operator has its own pair of brackets"
        left, operator, right = value(), next(symbols), value()
        assert next(symbols) == task.modulus + 4
        return (left + right, left - right, left * right)[operator - task.modulus]

    symbols = iter(symbols_before(rows, task.modulus + 5))
    result = value() % task.modulus
    assert next(symbols, None) is None
    return one_hot([result], task.modulus)


def settings(draw: st.DrawFn) -> Settings:
    return {"modulus": draw(st.integers(2, 8)), **training_lengths(draw)}


def steps(length: int) -> int:
    return (length + 1) + length + 2 * length + 1 + 1

"""Majority: a balance that ones raise and zeros lower."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    balance = 0.0
    for zero, one, _end in rows:
        balance += one - zero
    return [[0.0, 1.0] if balance > 0 else [1.0, 0.0]]


def settings(draw: st.DrawFn) -> Settings:
    return training_lengths(draw)


def steps(length: int) -> int:
    return length + 1 + 1

"""Cycle navigation: the steps forwards less those backwards."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    place = int(sum(forwards - backwards for _stay, forwards, backwards, _end in rows))
    return one_hot([place % task.places], task.places)


def settings(draw: st.DrawFn) -> Settings:
    return {"places": draw(st.integers(2, 9)), **training_lengths(draw)}


def steps(length: int) -> int:
    return length + 1 + 1

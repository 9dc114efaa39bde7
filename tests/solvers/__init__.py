"""Second solvers: what a task's definition says, in plain Python, one module for each task.

A module has the name of its task, and is found by that name. Every task of the suite has one. It is
written from the task's docstring alone. Each has:

- ``solve(rows, task)``: from a sequence's input rows to the rows of its scored answer;
- ``settings(draw)``: small settings of the task, all in range, drawn by Hypothesis;
- ``steps(length)``: T in test data at the default sizes, counted by hand.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Protocol, cast

from hypothesis import strategies as st

Rows = list[list[float]]
Settings = dict[str, Any]


class Solver(Protocol):
    """What a module of this package has."""

    def solve(self, rows: Rows, task: Any) -> Rows: ...

    def settings(self, draw: st.DrawFn) -> Settings: ...

    def steps(self, length: int) -> int: ...


def solvers() -> dict[str, Solver]:
    """The solvers by their tasks' names, sorted."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: cast(Solver, importlib.import_module(f"{__name__}.{name}")) for name in names}


def vectors_before(rows: Rows, delimiter: int, bits: int) -> Rows:
    """The first ``bits`` channels of the rows before the one that raises a delimiter."""
    before = [row[delimiter] for row in rows].index(1)
    return [row[:bits] for row in rows[:before]]


def one_hot(symbols: list[int], count: int) -> Rows:
    """A row for each symbol, with a 1 at its place."""
    return [[1.0 if place == symbol else 0.0 for place in range(count)] for symbol in symbols]


def symbols_before(rows: Rows, delimiter: int) -> list[int]:
    """The symbols of the rows before the one that raises a delimiter."""
    before = [row[delimiter] for row in rows].index(1)
    return [row.index(1) for row in rows[:before]]


def training_lengths(draw: st.DrawFn, shortest: int = 1) -> Settings:
    """A short range of training lengths."""
    least = shortest + draw(st.integers(0, 5))
    return {"min_length": least, "max_length": least + draw(st.integers(0, 5))}

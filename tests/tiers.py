"""Which tasks a test that takes long for each of them runs on: one of each family, or all."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from ntmbench.registry import task_class, task_names


@cache
def _first_ones() -> set[str]:
    first: dict[str, str] = {}
    for name in task_names():
        first.setdefault(task_class(name).family, name)
    return set(first.values())


def by_tier(task: str, *values: Any) -> Any:
    """Values as one parameter, which is slow unless the task is the first of its family."""
    return pytest.param(*values, marks=() if task in _first_ones() else pytest.mark.slow)


def tasks_by_tier() -> list[Any]:
    """The names of all tasks as parameters; but for the first of each family they are slow."""
    return [by_tier(name, name) for name in task_names()]

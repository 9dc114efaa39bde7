"""Which tasks a test that takes long for each of them runs on: one of each family, or all."""

from __future__ import annotations

from typing import Any

import pytest

from ntmbench.registry import task_class, task_names


def tasks_by_tier() -> list[Any]:
    """The names of all tasks as parameters; but for the first of each family they are slow."""
    first: dict[str, str] = {}
    for name in task_names():
        first.setdefault(task_class(name).family, name)
    return [
        name if name in first.values() else pytest.param(name, marks=pytest.mark.slow)
        for name in task_names()
    ]

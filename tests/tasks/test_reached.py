"""Docstrings tell of tasks that no model of the gallery solves, and what is reached."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from ntmbench.registry import task_class, task_names
from tests.tasks.reference import REFERENCE, SOLVED


@cache
def reached() -> dict[str, tuple[str, float]]:
    """The best model of each task, and its errors on a scale from the optimum to chance."""
    tables = [
        pd.read_csv(folder / "report/tables/spread.csv")
        for folder in (REFERENCE, REFERENCE / "gallery")
    ]
    best = pd.concat(tables).drop_duplicates("section").set_index("section")
    models = best["best"].str.partition(" ")[0]  # without its settings
    return dict(zip(best.index, zip(models, best["least"], strict=True), strict=True))


@pytest.mark.parametrize("name", task_names())
def test_docstrings_tell_of_tasks_that_are_not_solved(name: str) -> None:
    model, left = reached()[name]
    told = " ".join((task_class(name).__doc__ or "").split())
    if left < SOLVED:
        assert "No model of the gallery" not in told
    else:
        found = f"the best, ``{model}``, makes {100 * left:.0f} % of the errors"
        assert f"No model of the gallery solves it with its budget: {found}" in told

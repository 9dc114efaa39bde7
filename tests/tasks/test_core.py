"""The tasks of core are those that tell the models of the gallery apart best."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from ntmbench.commands.expansion import cells_of, with_experiment
from tests.tasks.reference import REFERENCE, SOLVED

PROFILE = REFERENCE / "gallery/report/tables/profile.csv"
#: What is left of the errors of chance where a model is far from solving a task.
FAR = 0.5


@cache
def core() -> set[str]:
    """Its overrides."""
    cells = cells_of(with_experiment(["+experiment=core"], sweep=True))
    return {override for cell in cells for override in cell}


@pytest.mark.parametrize(("family", "of_family"), [*pd.read_csv(PROFILE).groupby("family")])
def test_core_has_the_task_of_each_family_with_the_widest_spread(
    family: str, of_family: pd.DataFrame
) -> None:
    """Among those that most models can answer, without those that one alone comes near to."""
    shares = {str(task): sorted(rows["share"]) for task, rows in of_family.groupby("section")}
    most = max(map(len, shares.values()))
    wide = {
        task: share[-1] - share[0]
        for task, share in shares.items()
        if len(share) == most and not (share[0] < SOLVED and share[1] > FAR)
    }
    assert f"task={max(wide, key=lambda task: wide[task])}" in core(), family

"""The tasks of core are those that tell the models of the gallery apart best."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "results/reference/gallery/report/tables/profile.csv"
#: What is left of chance's errors where a task counts as solved, and where a model is far from it.
SOLVED, FAR = 0.05, 0.5


def core() -> set[str]:
    experiment = yaml.safe_load((ROOT / "conf/experiment/core.yaml").read_text())
    return set(experiment["hydra"]["sweeper"]["params"]["task"].replace(" ", "").split(","))


@pytest.mark.parametrize(("family", "of_family"), [*pd.read_csv(PROFILE).groupby("family")])
def test_core_has_the_task_of_each_family_with_the_widest_spread(
    family: str, of_family: pd.DataFrame
) -> None:
    """Among those that most models can answer, without those that one alone comes near to."""
    shares = {task: sorted(rows["share"]) for task, rows in of_family.groupby("section")}
    most = max(map(len, shares.values()))
    wide = {
        task: share[-1] - share[0]
        for task, share in shares.items()
        if len(share) == most and not (share[0] < SOLVED and share[1] > FAR)
    }
    assert max(wide, key=lambda task: wide[task]) in core(), family

"""All tasks together: how many of the mistakes of a blind guess each model still makes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.statistics.intervals import bootstrap_interval

COLUMNS = ["label", "tasks", "runs", "share", "share_low", "share_high"]


@once
def overall_table(study: Study) -> pd.DataFrame:
    """A row per model that was tested on every task; none where there are not two tasks.

    ``share`` is the mean over the ``tasks`` of the interquartile means of errors at the
    task's ``near_length``, as shares of chance's; its bootstrap interval resamples the runs of
    each task by themselves. Tasks whose optimum makes mistakes itself are left out, and so are
    controls.
    """
    chances = _chances(study)
    runs = study.runs[~study.runs["control"] & study.runs["errors"].notna()]
    runs = runs[runs["section"].isin(list(chances))]
    rows = []
    for label, of_model in runs.groupby("label", sort=False):
        strata = [
            list(of_task["errors"] / chances[str(section)])
            for section, of_task in of_model.groupby("section", sort=False)
        ]
        if len(strata) < len(chances) or len(strata) < 2:
            continue
        interval = bootstrap_interval(strata)
        told = (interval.estimate, interval.low, interval.high)
        rows.append((label, ", ".join(chances), len(of_model), *told))
    return pd.DataFrame(rows, columns=COLUMNS)


def _chances(study: Study) -> Mapping[str, float]:
    """Chance's errors by section, of those that can be solved and have a contestant tested."""
    chances = {}
    for label, tested in study.evaluation[~study.evaluation["control"]].groupby(
        "section", sort=False
    ):
        task = study.tasks[str(label)]
        near = tested.loc[tested["length"] == task.near_length, "chance_errors"]
        chance = float(near.max())
        if task.solvable and math.isfinite(chance) and chance > 0:
            chances[str(label)] = chance
    return chances

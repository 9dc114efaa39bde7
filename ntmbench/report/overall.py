"""All tasks together: how many of the mistakes of a blind guess each model still makes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from ntmbench.report import numbers
from ntmbench.report.cells import rank_of, value_range
from ntmbench.report.page import Cell, Table
from ntmbench.report.statistics import bootstrap_interval
from ntmbench.report.study import Study

COLUMNS = ["label", "tasks", "runs", "share", "share_low", "share_high"]


def overall_table(study: Study) -> pd.DataFrame:
    """A row per model that was tested on every task; none where there are not two tasks.

    ``share`` is the mean over the ``tasks`` of the interquartile means of wrong bits at the
    section's ``near_length``, as shares of chance's; its bootstrap interval resamples the runs of
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


def overall_view(table: pd.DataFrame) -> Table:
    """The same as text."""
    rows = []
    for row in table.to_dict("records"):
        middle, low, high = (_text(row[f"share{part}"]) for part in ("", "_low", "_high"))
        note = value_range(middle, low, high) if low and high else "1 run of each"
        rows.append(
            [
                Cell(str(row["label"])),
                Cell(str(row["runs"])),
                Cell(middle, note, rank=rank_of(row["share"])),
            ]
        )
    return Table(["model", "runs", "wrong bits, of chance's"], rows, sortable=True)


def _text(share: float) -> str:
    """A share of mistakes, not painted better than it is; nothing where it is not known."""
    if math.isnan(share):
        return ""
    return "infinite" if math.isinf(share) else numbers.upper_share(share)


def overall_note(table: pd.DataFrame) -> str:
    """Which tasks it is over, and how it is to be read."""
    if table.empty:
        return ""
    return (
        f"Over {table['tasks'].iloc[0]}: wrong bits at the longest training length as a share of "
        "chance's, the interquartile mean over the runs of each task, the mean of these over the "
        "tasks, and its interval at 95%, resampled task by task. Models that were not tested on "
        "all of them are left out."
    )


def _chances(study: Study) -> Mapping[str, float]:
    """Chance's wrong bits by section, of those that can be solved and have a contestant tested."""
    chances = {}
    for label, tested in study.evaluation[~study.evaluation["control"]].groupby(
        "section", sort=False
    ):
        section = study.sections[str(label)]
        near = tested.loc[tested["length"] == section.near_length, "chance_errors"]
        chance = float(near.max())
        if section.solvable and math.isfinite(chance) and chance > 0:
            chances[str(label)] = chance
    return chances

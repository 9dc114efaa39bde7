"""Run by run, as numbers: all of them, and those that something is wrong with."""

from __future__ import annotations

import pandas as pd

from ntmbench.report.study.grouping import GROUP
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study


@once
def problems_table(study: Study) -> pd.DataFrame:
    """A row per run that is not finished, and per folder that holds no readable run."""
    unfinished = study.runs[study.runs["outcome"] != "finished"]
    columns = ["run", *GROUP, "seed", "outcome", "trained", "train_sequences", "error"]
    folders = pd.DataFrame(
        [(folder, "unreadable", reason) for folder, reason in study.unreadable.items()],
        columns=["run", "outcome", "error"],
    ).reindex(columns=columns)
    parts = [table for table in (unfinished[columns], folders) if len(table)]
    table = pd.concat(parts, ignore_index=True) if parts else unfinished[columns]
    return table.astype(dict.fromkeys(("seed", "trained", "train_sequences"), "Int64"))


@once
def runs_table(study: Study) -> pd.DataFrame:
    """A row per run; ``reached_at`` and ``solved_at`` are infinite where it did not happen.

    They are empty where solved is not defined.
    """
    table = study.runs.drop(columns=["state", "active", "time", "observed"])
    solvable = {label: task.solvable for label, task in study.tasks.items()}
    defined = table["section"].map(solvable)
    for column in ("reached_at", "solved_at"):
        table[column] = table[column].where(defined.astype(bool))
    return table

"""What the whole report is computed from: every run with its outcome and its figures, in groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ntmbench.report.study.contestants import is_control
from ntmbench.report.study.grouping import GROUP, with_groups
from ntmbench.report.study.outcomes import effective_length
from ntmbench.report.study.outcomes import outcomes as outcomes_of
from ntmbench.report.study.tasks import StudyTask, study_task
from ntmbench.runs.results import (
    EVALUATION_COLUMNS,
    HEAD_COLUMNS,
    LOOK_COLUMNS,
    METRICS_COLUMNS,
    POSITION_COLUMNS,
    Results,
)
from ntmbench.runs.search_record import SearchRecord
from ntmbench.runs.stored import ExampleFile
from ntmbench.runs.tables import TEXT_COLUMNS

NUMBERS = ["seed", "parameters", "state_floats", "train_sequences", "min_length", "max_length"]
NUMBERS += ["selected_step", "sequences_per_second", "train_seconds", "wall_seconds"]

#: A run's figures on test data. The first four are those of the task's ``near_length``.
FIGURES = ["errors", "exact_match", "loss_bits", "loss_over_optimum"]
FIGURES += ["effective_90", "effective_99"]


@dataclass(frozen=True, eq=False)  # compared by what it is, so that figures can be kept with it
class Study:
    """Every readable run, in groups that differ in their seed alone.

    Attributes:
        runs: a row per run: the columns of ``Results.runs``, ``section`` and ``label``, those of
            ``outcomes``, ``control`` (whether its model is one) and FIGURES, NaN if not evaluated.
        metrics: learning curves, with the columns GROUP.
        evaluation: test grids, with the columns GROUP.
        positions: errors by position, with the columns GROUP.
        variations: tests beside the grid, with the columns GROUP.
        look: errors against position, gap and duplicates, with the columns GROUP.
        heads: how the heads of memories were used, with the columns GROUP.
        tasks: the tasks with their settings, by label.
        settings: of each run, its identity.
        searches: of each run that has some, by name, the searches that found its settings.
        examples: of each run that has one, where its answered test sequence is.
        unreadable: folders that hold no readable run, and why.
        source: the results folder.
    """

    runs: pd.DataFrame
    metrics: pd.DataFrame
    evaluation: pd.DataFrame
    positions: pd.DataFrame
    variations: pd.DataFrame
    look: pd.DataFrame
    heads: pd.DataFrame
    tasks: Mapping[str, StudyTask]
    settings: Mapping[str, Mapping[str, Any]]
    searches: Mapping[str, Mapping[str, SearchRecord]]
    examples: Mapping[str, ExampleFile]
    unreadable: Mapping[str, str]
    source: Path

    @property
    def report(self) -> Path:
        """The folder that the report is written into."""
        return self.source / "report"

    @property
    def units(self) -> list[str]:
        """What answers are made of, over all tasks."""
        return list(dict.fromkeys(task.unit for task in self.tasks.values()))

    @property
    def unit(self) -> str | None:
        """The unit of all tasks; None where they do not share one."""
        return self.units[0] if len(self.units) == 1 else None

    def by_task(self) -> Iterator[tuple[StudyTask, pd.DataFrame]]:
        """Each task, and its rows of ``runs``."""
        for label, members in self.runs.groupby("section", sort=False):
            yield self.tasks[str(label)], members


def make_study(results: Results, source: Path) -> Study:
    """Group the runs of ``load_results(source)``, and compute what is told of each."""
    runs = with_groups(_numeric(results.runs, NUMBERS), results.settings)
    runs["control"] = runs["model"].map(is_control).astype(bool)
    metrics = _numeric(results.metrics, METRICS_COLUMNS)
    evaluation = _numeric(results.evaluation, EVALUATION_COLUMNS)
    variations = _numeric(results.variations, EVALUATION_COLUMNS)
    with_outcomes = outcomes_of(runs, metrics, results.settings)
    tasks = {
        str(label): study_task(
            str(label),
            results.settings[members["run"].iloc[0]],
            members,
            evaluation[evaluation["run"].isin(members["run"])],
            variations[variations["run"].isin(members["run"])],
        )
        for label, members in with_outcomes.groupby("section", sort=False)
    }
    return Study(
        runs=_with_figures(with_outcomes, evaluation, tasks),
        metrics=_in_groups(metrics, runs),
        evaluation=_in_groups(evaluation, runs),
        positions=_in_groups(_numeric(results.positions, POSITION_COLUMNS), runs),
        variations=_in_groups(variations, runs),
        look=_in_groups(_numeric(results.look, _numbers_of(LOOK_COLUMNS)), runs),
        heads=_in_groups(_numeric(results.heads, _numbers_of(HEAD_COLUMNS)), runs),
        tasks=tasks,
        settings=results.settings,
        searches=results.searches,
        examples=results.examples,
        unreadable=results.unreadable,
        source=source,
    )


def _with_figures(
    runs: pd.DataFrame, evaluation: pd.DataFrame, tasks: Mapping[str, StudyTask]
) -> pd.DataFrame:
    """Add FIGURES; a score that is not a number counts as infinitely bad."""
    tested = dict(list(evaluation.groupby("run")))
    figures = []
    for run, label in zip(runs["run"], runs["section"], strict=True):
        task = tasks[label]
        row = dict.fromkeys(FIGURES, math.nan)
        if run in tested:
            table = tested[run].sort_values("length")
            exact = table["exact_match"].fillna(0).to_numpy(dtype=float)
            lengths = table["length"].to_numpy(dtype=int)
            if task.solvable:
                row["effective_90"] = effective_length(lengths, exact, 0.9)
                row["effective_99"] = effective_length(lengths, exact, 0.99)
            at = np.flatnonzero(lengths == task.near_length)
            if len(at):
                scores = table.iloc[int(at[0])]
                row["exact_match"] = float(exact[at[0]])
                for name in ("errors", "loss_bits"):
                    row[name] = math.inf if math.isnan(scores[name]) else float(scores[name])
                optimum = task.optimum_loss_bits(int(lengths[at[0]]))
                row["loss_over_optimum"] = row["loss_bits"] - optimum
        figures.append(row)
    return runs.assign(**{name: [float(row[name]) for row in figures] for name in FIGURES})


def _numbers_of(columns: list[str]) -> list[str]:
    return [column for column in columns if column not in TEXT_COLUMNS]


def _in_groups(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The table's rows in the order of ``runs``."""
    return runs[["run", *GROUP, "control"]].merge(table, on="run")


def _numeric(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Numbers in columns that are to hold numbers; anything else in them is missing."""
    converted: Any = {name: pd.to_numeric(table[name], errors="coerce") for name in columns}
    return table.assign(**converted)

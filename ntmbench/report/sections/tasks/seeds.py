"""Every run of a task: its figures, its folder, and the command that repeats it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Cell, Runs, Table
from ntmbench.report.page.cells import LAST, rank_of
from ntmbench.report.study.anchors import run_anchors
from ntmbench.report.study.commands import command, repeats_of
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask


def seeds_of(study: Study, task: StudyTask) -> Iterator[Runs]:
    """A block for each model on the task, controls included."""
    members = study.runs[study.runs["section"] == task.label]
    for label, runs in members.groupby("label", sort=False):
        yield _of_group(study, task, str(label), runs)


def _of_group(study: Study, task: StudyTask, label: str, runs: pd.DataFrame) -> Runs:
    repeats = repeats_of(study)
    first = runs["run"].iloc[0]
    if first in repeats.known:
        repeat = repeats.known[first]
        note = repeat.caveat
        commands = {seed: command(repeat.overrides, [seed]) for seed in runs["seed"]}
        all_seeds = command(repeat.overrides, runs["seed"])
    else:
        note, all_seeds, commands = f"No command: {repeats.refused[first]}", "", {}
    return Runs(
        anchor=run_anchors(study)[task.label, label],
        title=f"{task.label}: {label}",
        command=all_seeds,
        caveat=note,
        table=view(runs, task, study.report, commands),
    )


def view(runs: pd.DataFrame, task: StudyTask, report: Path, commands: Mapping[int, str]) -> Table:
    """A row per run of a group: its figures, its folder, and the command that repeats it.

    ``commands`` are by seed; there may be none.
    """
    rows = []
    for row in runs.sort_values("seed").to_dict("records"):
        folder = Path(row["folder"])
        progress = f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
        cells = [
            Cell(str(row["seed"]), rank=row["seed"]),
            Cell(row["outcome"], note=progress, kind=f"state {row['outcome']}"),
        ]
        if task.solvable:
            cells += [
                Cell(_time(row["reached_at"]), rank=rank_of(row["reached_at"])),
                Cell(_time(row["solved_at"]), rank=rank_of(row["solved_at"])),
                *(_length(row[name]) for name in ("effective_90", "effective_99")),
            ]
        cells += [
            Cell(numbers.score(row[name]) or "not tested", rank=rank_of(row[name]))
            for name in ("errors", "loss_over_optimum")
        ]
        cells.append(
            Cell(row["run"], href=_link(folder, report), code=commands.get(row["seed"], ""))
        )
        rows.append(cells)
    when = ["reached at", "solved at", "90% exact to", "99% exact to"] if task.solvable else []
    header = ["seed", "state", *when, errors(task.unit), "loss over optimum", "folder and command"]
    return Table(header, rows)


def _length(value: float) -> Cell:
    return Cell("not tested", rank=LAST) if math.isnan(value) else Cell(f"{value:,.0f}", rank=value)


def _time(value: float) -> str:
    return "no" if math.isinf(value) else numbers.count(value)


def _link(target: Path, report: Path) -> str:
    """A relative link from the report's folder, so that both can be moved together.

    There is none where nothing lies there: runs may have come without their folders.
    """
    if not target.is_dir():
        return ""
    return quote(Path(os.path.relpath(target, report)).as_posix())

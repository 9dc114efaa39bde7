"""Settings compared: runs that differ in one setting alone, and the value that did best by
validation data.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.grouping import flat_settings
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study

#: The parts of an identity that hold settings of which one may be compared.
PARTS = ("model", "train")

COLUMNS = ["model", "setting", "value", "section", "runs", "validation_loss_bits", "share"]
COLUMNS += ["mean_share", "best"]

NOTE = (
    "Runs of a model that differ in one setting alone, with the same values on every task. Each "
    "cell is the least validation loss of a run, as a share of what a constant answer loses: the "
    "median over seeds. More than a constant's, or a run that diverged, counts as 100%. The best "
    "value has the least mean over the tasks."
)


@once
def settings_compared(study: Study) -> pd.DataFrame:
    """A row per model, value of its one setting that differs, and task.

    ``share`` is the validation loss over that of a constant, 1 at most; ``mean_share`` its mean
    over the tasks, of which the least is ``best``; of equals the first. The table is empty where no
    model's runs differ in one setting alone.
    """
    rows: list[dict[str, Any]] = []
    contestants = study.runs[~study.runs["control"]]
    for model, runs in contestants.groupby("model", sort=False):
        rows += _rows(study, str(model), runs)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(study: Study, model: str, runs: pd.DataFrame) -> list[dict[str, Any]]:
    settings = {run: flat_settings(study.settings[run], PARTS) for run in runs["run"]}
    compared = _one_that_differs(runs, settings)
    if compared is None or any(study.tasks[label].validation is None for label in runs["section"]):
        return []
    runs = runs.assign(value=[settings[run][compared] for run in runs["run"]])
    rows: list[dict[str, Any]] = []
    for (value, section), members in runs.groupby(["value", "section"], sort=False):
        losses = members["validation_loss_bits"].mask(members["outcome"] == "diverged")
        loss = float(losses.fillna(math.inf).median())
        levels = study.tasks[str(section)].validation
        assert levels is not None
        rows.append(
            {
                "model": model,
                "setting": compared,
                "value": str(value),
                "section": str(section),
                "runs": len(members),
                "validation_loss_bits": loss,
                "share": min(1.0, loss / levels.chance.loss_bits),
            }
        )
    shares: dict[str, list[float]] = {}
    for row in rows:
        shares.setdefault(row["value"], []).append(row["share"])
    means = {value: statistics.fmean(of_value) for value, of_value in shares.items()}
    values = sorted(means, key=_as_number)
    best = min(values, key=means.__getitem__)
    rows.sort(key=lambda row: values.index(row["value"]))
    return [
        {**row, "mean_share": means[row["value"]], "best": row["value"] == best} for row in rows
    ]


def _one_that_differs(runs: pd.DataFrame, settings: Mapping[str, dict[str, str]]) -> str | None:
    """The only setting that differs on every task, if it has the same values on all of them."""
    found = set()
    for _, members in runs.groupby("section"):
        of_task = [settings[run] for run in members["run"]]
        keys = dict.fromkeys(key for values in of_task for key in values)
        differing = {key: {values.get(key) for values in of_task} for key in keys}
        found.add(
            tuple((key, frozenset(values)) for key, values in differing.items() if len(values) > 1)
        )
    if len(found) != 1:
        return None
    (differing_everywhere,) = found
    if len(differing_everywhere) != 1:
        return None
    ((key, values),) = differing_everywhere
    return None if None in values else key


def _as_number(value: str) -> tuple[float, str]:
    """Numbers in their order, and then text in the alphabet's."""
    try:
        return float(value), value
    except ValueError:
        return math.inf, value


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per model, value and task; none where no setting is compared."""
    table = settings_compared(study)
    return {"settings_compared": table} if len(table) else {}


def blocks(study: Study) -> Iterator[Block]:
    """What is compared, and a table for each set of tasks; nothing where no setting is."""
    table = settings_compared(study)
    if table.empty:
        return
    yield Text(NOTE, "faint")
    models_of: dict[tuple[str, ...], list[str]] = {}
    for model, members in table.groupby("model", sort=False):
        models_of.setdefault(tuple(members["section"].unique()), []).append(str(model))
    for tasks, models in models_of.items():
        yield Tabular(view(table[table["model"].isin(models)], tasks))


def view(table: pd.DataFrame, tasks: tuple[str, ...]) -> Table:
    """A row per model and value, with a column for each task."""
    rows = []
    for _, members in table.groupby(["model", "value"], sort=False):
        first = members.iloc[0]
        shares = members.set_index("section")["share"]
        setting = first["setting"].removeprefix("model.")
        row = [Cell(first["model"]), Cell(f"{setting}={first['value']}")]
        row += [Cell(numbers.upper_share(shares[task]), rank=shares[task]) for task in tasks]
        mean = first["mean_share"]
        note = "best" if first["best"] else ""
        rows.append([*row, Cell(numbers.upper_share(mean), note, rank=mean)])
    return Table(["model", "setting", *tasks, "mean"], rows, sortable=True, grouped=True)


register_section(
    Section(
        order=74,
        anchor="settings-compared",
        title="Settings compared",
        blocks=blocks,
        tables=tables,
    )
)

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
from ntmbench.report.study.grouping import flat_settings, short_name
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.runs.digests import ENDED

#: The parts of an identity that hold settings of which one may be compared.
PARTS = ("model", "train")

COLUMNS = ["model", "setting", "value", "section", "runs", "validation_loss_bits", "share"]
COLUMNS += ["mean_share", "best"]

NOTE = (
    "Runs of a model that differ in one setting alone, with the same values on every task. Each "
    "cell is the least validation loss of a run, as a share of what a constant answer loses: the "
    "median over seeds. More than a constant's, or a run that diverged, counts as 100%. Runs that "
    "have not ended do not count. The best value has the least mean over the tasks."
)


@once
def settings_compared(study: Study) -> pd.DataFrame:
    """A row per model, value of its one setting that differs, and task.

    ``share`` is the validation loss over that of a constant, 1 at most: the median over the runs
    that have ended. ``mean_share`` is its mean over the tasks, of which the least is ``best``, of
    equals all; none is where no value beats a constant. Tasks that cannot be built are left out.
    The table is empty where no model's runs differ in one setting alone.
    """
    constant = {
        label: task.validation.chance.loss_bits
        for label, task in study.tasks.items()
        if task.validation is not None
    }
    runs = study.runs
    known = runs["section"].isin(list(constant)) & runs["outcome"].isin(ENDED)
    runs = runs[known & ~runs["control"]]
    losses = runs["validation_loss_bits"].mask(runs["outcome"] == "diverged")
    shares = (losses / runs["section"].map(constant)).clip(upper=1.0).fillna(1.0)
    rows: list[dict[str, Any]] = []
    for model, of_model in runs.assign(share=shares).groupby("model", sort=False):
        rows += _rows(study, str(model), of_model)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(study: Study, model: str, runs: pd.DataFrame) -> list[dict[str, Any]]:
    settings = {run: flat_settings(study.settings[run], PARTS) for run in runs["run"]}
    compared = _one_that_differs(runs, settings)
    if compared is None:
        return []
    runs = runs.assign(value=[settings[run][compared] for run in runs["run"]])
    rows: list[dict[str, Any]] = [
        {
            "model": model,
            "setting": compared,
            "value": str(value),
            "section": str(section),
            "runs": len(members),
            "validation_loss_bits": float(members["validation_loss_bits"].median()),
            "share": float(members["share"].median()),
        }
        for (value, section), members in runs.groupby(["value", "section"], sort=False)
    ]
    shares: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: _as_number(row["value"])):
        shares.setdefault(row["value"], []).append(row["share"])
    means = {value: statistics.fmean(of_value) for value, of_value in shares.items()}
    best = [value for value, mean in means.items() if mean == min(means.values()) < 1]
    rows.sort(key=lambda row: list(means).index(row["value"]))
    return [
        {**row, "mean_share": means[row["value"]], "best": row["value"] in best} for row in rows
    ]


def _one_that_differs(runs: pd.DataFrame, settings: Mapping[str, dict[str, str]]) -> str | None:
    """The only setting that differs on every task, if it has the same values on all of them."""
    first, *others = (
        _differing([settings[run] for run in members["run"]])
        for _, members in runs.groupby("section")
    )
    if len(first) != 1 or any(other != first for other in others):
        return None
    ((key, values),) = first.items()
    return None if None in values else key


def _differing(settings: list[dict[str, str]]) -> dict[str, set[str | None]]:
    """The values of settings that have several; None where one is not set."""
    keys = dict.fromkeys(key for values in settings for key in values)
    found = {key: {values.get(key) for values in settings} for key in keys}
    return {key: values for key, values in found.items() if len(values) > 1}


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
    for place, (_, members) in enumerate(table.groupby(["model", "value"], sort=False)):
        first = members.iloc[0]
        shares = members.set_index("section")["share"]
        setting = f"{short_name(first['setting'])}={first['value']}"
        row = [Cell(first["model"]), Cell(setting, rank=place)]
        row += [Cell(numbers.upper_share(shares[task]), rank=shares[task]) for task in tasks]
        mean, note = first["mean_share"], "best" if first["best"] else ""
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

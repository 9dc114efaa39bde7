"""Which settings were searched for, and what that took: the budget beside that of the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.page.words import joined
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.searches import searches_table
from ntmbench.report.study.study import Study

INTRODUCTION = (
    "What it took to find settings, as stated by the recipes that the runs follow. A trial is one "
    "choice of settings, trained and scored on validation data. Sequences in all are those of "
    "every trial, on every seed and task of the search."
)


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per task, model and search; none where no run notes a search."""
    table = searches_table(study)
    return {"searches": table} if len(table) else {}


def blocks(study: Study) -> Iterator[Block]:
    """The budget of each search beside those of the other models, and the commands."""
    table = searches_table(study)
    if table.empty:
        return
    yield Text(INTRODUCTION)
    yield Tabular(budgets(table))
    yield Tabular(commands(table), title="Commands of the searches")


def budgets(table: pd.DataFrame) -> Table:
    """A row per task, model and search."""
    header = ["task", "model", "runs", "search", "trials", "sequences a trial", "seeds"]
    header += ["sequences in all", "settings found"]
    rows = []
    for row in table.to_dict("records"):
        cells = [Cell(row["section"]), Cell(row["label"]), Cell(str(row["runs"]))]
        cells += [Cell("none noted"), *[Cell("")] * 5] if pd.isna(row["search"]) else _budget(row)
        rows.append(cells)
    return Table(header, rows, grouped=True)


def _budget(row: Mapping[Any, Any]) -> list[Cell]:
    ended_early = [f"{row[state]:.0f} {state}" for state in ("pruned", "failed") if row[state]]
    reported = f"reported too: {row['reported_seeds']}" if row["reported_seeds"] else ""
    tasks = len(row["tasks"].split(", "))
    elsewhere = pd.isna(row["sequences"])
    return [
        Cell(row["search"], note=f"ended {row['ended']}"),
        Cell(numbers.count(row["trials"]), note=joined(*ended_early)),
        Cell("other tasks" if elsewhere else numbers.count(row["sequences"])),
        Cell(row["seeds"], note=reported, kind="bad" if reported else ""),
        Cell(numbers.count(row["total_sequences"]), note=f"on {tasks} tasks" if tasks > 1 else ""),
        Cell(row["found"], note=f"not as found: {row['changed']}" if row["changed"] else ""),
    ]


def commands(table: pd.DataFrame) -> Table:
    """A row per search."""
    searched = table.dropna(subset="search").drop_duplicates(["search", "command"])
    rows = [
        [Cell(row["search"]), Cell("", code=row["command"])] for row in searched.to_dict("records")
    ]
    return Table(["search", "command"], rows)


register_section(
    Section(
        order=75, anchor="searches", title="Searches for settings", blocks=blocks, tables=tables
    )
)

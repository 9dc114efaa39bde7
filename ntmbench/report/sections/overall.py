"""All tasks together: how many of the mistakes of a blind guess each model still makes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.page.cells import rank_of, value_range
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.overall import overall_table
from ntmbench.report.study.study import Study


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per model that was tested on every task."""
    return {"overall": overall_table(study)}


def blocks(study: Study) -> Iterator[Block]:
    """What it is over, and the table; nothing where there are not two tasks."""
    table = overall_table(study)
    if len(table):
        yield Text(_note(table, study), "faint")
        yield Tabular(view(table, errors(study.unit)))


def view(table: pd.DataFrame, mistakes: str) -> Table:
    """The table as text; ``mistakes`` are wrong bits, say."""
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
    return Table(["model", "runs", f"{mistakes}, of chance's"], rows, sortable=True)


def _text(share: float) -> str:
    """A share of mistakes, not painted better than it is; nothing where it is not known."""
    if math.isnan(share):
        return ""
    return "infinite" if math.isinf(share) else numbers.upper_share(share)


def _note(table: pd.DataFrame, study: Study) -> str:
    """Which tasks it is over, and how it is to be read."""
    return (
        f"Over {table['tasks'].iloc[0]}: {errors(study.unit)} at the longest training length as "
        "a share of chance's, the interquartile mean over the runs of each task, the mean of "
        "these over the tasks, and its interval at 95%, resampled task by task. Models that were "
        "not tested on all of them are left out."
    )


register_section(
    Section(order=30, anchor="overall", title="All tasks together", blocks=blocks, tables=tables)
)

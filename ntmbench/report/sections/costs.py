"""Speed, parameters and state of every model on every task."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from ntmbench.data.literature import library
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.page.cells import count_cell, rank_of
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.study import Study
from ntmbench.report.study.summary import summary_table

INTRODUCTION = (
    "Medians over runs; time of training alone. State counts the numbers that a model carries from "
    "step to step, memory included, on the longest training sequences; it is empty where that is "
    "not known."
)

#: A row of the table of ``summary_table``, by column.
Row = Mapping[Hashable, Any]


def blocks(study: Study) -> Iterator[Block]:
    """The table, where there is a contestant."""
    table = view(summary_table(study), _by_setting(study))
    if table.rows:
        yield Text(INTRODUCTION, "faint")
        yield Tabular(table)


def view(summary: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]]) -> Table:
    """Speed, parameters and state of every model on every task; ``settings`` by ``setting``."""
    rows = []
    for row in summary[~summary["control"].astype(bool)].to_dict("records"):
        identity = settings[row["setting"]]
        controller = identity["model"].get("controller")
        paper = library().parameters.get((row["task"], row["model"], controller))
        rate = row["sequences_per_second"]
        rows.append(
            [
                Cell(row["section"]),
                Cell(row["label"]),
                count_cell(row["parameters"]),
                count_cell(math.nan if paper is None else paper),
                count_cell(row["state_floats"]),
                _trained(row),
                count_cell(identity["train"].get("batch_size", math.nan)),
                Cell(numbers.rate(rate), rank=rank_of(rate)),
                Cell(numbers.duration(row["train_seconds"]), rank=rank_of(row["train_seconds"])),
                Cell(row["devices"]),
            ]
        )
    header = [
        "task",
        "model",
        "parameters",
        "in the paper",
        "state",
        "training sequences",
        "batch size",
    ]
    header += ["sequences per second", "training time", "device"]
    return Table(header, rows, sortable=True)


def _trained(row: Row) -> Cell:
    """The budget, and what of it the runs have used, in the median."""
    cell = count_cell(row["budget"])
    early = row["trained"] < row["budget"]
    return replace(cell, note=f"used: {numbers.count(row['trained'])}") if early else cell


def _by_setting(study: Study) -> dict[str, Mapping[str, Any]]:
    return {
        setting: study.settings[run]
        for setting, run in zip(study.runs["setting"], study.runs["run"], strict=True)
    }


register_section(
    Section(order=70, anchor="costs", title="Speed, parameters and state", blocks=blocks)
)

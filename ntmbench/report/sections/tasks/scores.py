"""A task's test scores as tables of text."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Cell, Table
from ntmbench.report.page.cells import value_range
from ntmbench.report.page.words import joined

#: Scores that are told in per cent.
SHARES = ("exact_match", "right")


def lengths_view(table: pd.DataFrame, score: str) -> Table:
    """A score of one task by test length: a row per model; chance or optimum last."""
    lengths = sorted(table["length"].unique())
    rows = []
    for label, of_label in table.groupby("label", sort=False):
        by_length = of_label.set_index("length")
        evaluated = f"{by_length['evaluated'].min()} of {by_length['runs'].max()}"
        cells = [
            _median_and_range(by_length.loc[length], score)
            if length in by_length.index
            else Cell("not tested")
            for length in lengths
        ]
        rows.append([Cell(str(label)), Cell(evaluated), *cells])
    compare = {"errors": "chance", "loss_bits": "optimum"}
    if score in compare:
        name = compare[score]
        values = table.groupby("length")[f"{name}_{score}"].max()
        rows.append([Cell(name), Cell(""), *(Cell(numbers.score(values[at])) for at in lengths)])
    header = ["model", "tested", *(numbers.count(length) for length in lengths)]
    return Table(header, rows)


def variations_view(table: pd.DataFrame, unit: str) -> Table:
    """The tests of one task that no length of the grid stands for; ``unit`` of its answers.

    The share of answers that are right is told where it is known.
    """
    told = {"errors": errors(unit), "right": f"{unit}s right", "exact_match": "exact"}
    if table["right_median"].isna().all():
        del told["right"]
    rows = [
        [
            Cell(str(row["variation"])),
            Cell(row["label"]),
            Cell(str(row["evaluated"])),
            *(_median_and_range(row, score) for score in told),
            Cell(numbers.score(row["chance_errors"])),
        ]
        for row in table.to_dict("records")
    ]
    header = ["variation", "model", "runs", *told.values(), f"chance, {errors(unit)}"]
    return Table(header, rows)


def _median_and_range(row: Any, score: str) -> Cell:
    if pd.isna(row[f"{score}_median"]):
        return Cell("")
    write = numbers.share if score in SHARES else numbers.score
    middle, low, high = (write(row[f"{score}_{part}"]) for part in ("median", "min", "max"))
    notes = [value_range(middle, low, high)]
    if score == "errors" and 0 < row["at_zero"] < row["evaluated"]:
        notes.append(f"{row['at_zero']} of {row['evaluated']} at zero")
    return Cell(middle, joined(*notes))

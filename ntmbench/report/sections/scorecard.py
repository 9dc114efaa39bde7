"""The literature's figures beside the runs'."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from ntmbench.data.literature import Measure
from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.page.cells import (
    LAST,
    halves,
    sequences_texts,
    signed_score,
    value_range,
)
from ntmbench.report.page.words import joined, plural
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.scorecard import COUNTS, RELATIVE, scorecard_table
from ntmbench.report.study.study import Study

INTRODUCTION = (
    'Less is better throughout. The column "here" has the median over seeds, and its interval or '
    "range. Tasks without a row were not run here, or no figure was found for them."
)

#: A row of the table of ``scorecard_table``, by column.
Row = Mapping[Hashable, Any]


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row for each figure of the literature and each model that it is set beside."""
    return {"scorecard": scorecard_table(study)}


def blocks(study: Study) -> Iterator[Block]:
    """The figures on tasks that were run, and whether ours are better."""
    scorecard = scorecard_table(study)
    shown = scorecard[scorecard["task"].isin({task.name for task in study.tasks.values()})]
    if len(shown):
        yield Text(INTRODUCTION, "faint")
        yield Tabular(view(shown))


def view(scorecard: pd.DataFrame) -> Table:
    """The literature's figures beside the runs'."""
    rows = []
    for row in scorecard.to_dict("records"):
        measure = Measure(row["measure"])
        unit = row["unit"]
        what = errors(unit) if measure is Measure.ERRORS else row["measure"]
        if not pd.isna(row["length"]):
            what += f" at {row['length']}"
        relative = measure in RELATIVE
        counted = "bits" if measure is Measure.LOSS_BITS else f"{unit or 'error'}s"
        tolerance = f"{row['tolerance']:.0%}" if relative else f"{row['tolerance']:g} {counted}"
        rows.append(
            [
                Cell(row["task"]),
                Cell(row["label"]),
                Cell(what),
                _figure(measure, row),
                Cell(row["says"], note=row["source"], href=row["address"]),
                Cell(f"± {tolerance}" if row["tolerance"] else "none"),
                Cell(row["verdict"], kind=_verdict_kind(row["verdict"])),
            ]
        )
    header = ["task", "model", "figure", "here", "literature", "tolerance", "verdict"]
    # Sequences, errors, bits and milliseconds.
    return Table(header, rows, sortable=True, unsorted=("here", "literature", "tolerance"))


def _figure(measure: Measure, row: Row) -> Cell:
    """The runs' own figure, and of how many runs it is."""
    value, low, high = (row[name] for name in ("ours", "ours_low", "ours_high"))
    if math.isnan(value):
        return Cell("", rank=LAST)
    if measure in COUNTS:
        text, spread = sequences_texts(
            value, low, high, row["budget"], unfinished=not row["finished"]
        )
        spread = joined(spread, halves(row["half_by"], row["half_from"]))
    else:
        text = signed_score(value)
        several = row["tested"] > 1
        spread = value_range(text, signed_score(low), signed_score(high)) if several else ""
    runs = f"{plural(int(row['runs']), 'run')} of {numbers.count(row['budget'])} sequences"
    some = row["tested"] < row["runs"]
    tested = f"{row['tested']} of {row['runs']} tested" if some else ""
    return Cell(text, joined(spread, runs, tested), rank=value)


def _verdict_kind(verdict: str) -> str:
    """``not measured -> verdict not-measured``, for the style sheet."""
    return f"verdict {verdict.partition(' (')[0].replace(' ', '-')}"


register_section(
    Section(
        order=50,
        anchor="scorecard",
        title="Beside the literature",
        blocks=blocks,
        tables=tables,
    )
)

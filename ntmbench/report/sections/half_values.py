"""Half-values: how strong a disturbance must be until a model fails on half of the sequences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from ntmbench.registry import task_class
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.page.cells import rank_of, value_range
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.grouping import groups
from ntmbench.report.study.lengths import numbered_variations
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import family_of

#: The family whose lengths are the strength of a disturbance.
FAMILY = "disturb"

COLUMNS = ["section", "label", "strength", "runs", "weakest", "strongest"]
COLUMNS += ["half_value", "half_value_min", "half_value_max"]

NOTE = (
    "The strength of a disturbance at which exact match falls to one half, on a straight line "
    "between the strengths that were tested: the lower median over the runs, and their range."
)


def half_value(strengths: Sequence[float], exact: Sequence[float]) -> float:
    """The first strength at which exact match is one half, on a line between those tested.

    It is 0 if exact match is below one half at the weakest, and infinite if it never falls so low.

    Args:
        strengths: ascending, at least one.
        exact: the share of sequences without an error at each, from 0 to 1.
    """
    if exact[0] < 0.5:
        return 0.0
    before = strengths[0], exact[0]
    for strength, share in zip(strengths, exact, strict=True):
        if share <= 0.5:
            fallen = (before[1] - 0.5) / (before[1] - share) if share < before[1] else 0.0
            return before[0] + fallen * (strength - before[0])
        before = strength, share
    return math.inf


@once
def half_values(study: Study) -> pd.DataFrame:
    """A row per task that disturbs, model and disturbance: median and range over the runs.

    The lengths of a task are one disturbance; variations that differ in a number are another.
    """
    rows: list[tuple[Any, ...]] = []
    for section, label, tested in groups(study.evaluation):
        if _disturbs(study, section):
            axis = task_class(study.tasks[section].name).axis
            rows.append((section, label, axis, *_over_runs(tested, "length")))
    for section, label, tested in groups(study.variations):
        if _disturbs(study, section):
            for counted, numbered in numbered_variations(tested).items():
                rows.append((section, label, counted, *_over_runs(numbered, "number")))
    order = list(study.tasks)
    rows.sort(key=lambda row: order.index(row[0]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _disturbs(study: Study, section: str) -> bool:
    return family_of(study.tasks[section].name) == FAMILY


def _over_runs(tested: pd.DataFrame, strength: str) -> tuple[float, ...]:
    """The number of runs, the ends of the column ``strength``, and median and range over runs."""
    found = []
    for _, of_run in tested.sort_values(strength).groupby("run"):
        exact = of_run["exact_match"].fillna(0.0)
        found.append(half_value(list(of_run[strength]), list(exact)))
    found.sort()
    ends = tested[strength].min(), tested[strength].max()
    return len(found), *ends, found[(len(found) - 1) // 2], found[0], found[-1]


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per task that disturbs and model; none is written where no task disturbs."""
    table = half_values(study)
    return {"half_values": table} if len(table) else {}


def blocks(study: Study) -> Iterator[Block]:
    """What a half-value is, and the table; nothing where no task disturbs."""
    table = half_values(study)
    if len(table):
        yield Text(NOTE, "faint")
        yield Tabular(view(table))


def view(table: pd.DataFrame) -> Table:
    """The table as text."""
    rows = []
    for row in table.to_dict("records"):
        ends = row["weakest"], row["strongest"]
        middle, low, high = (
            _text(row[f"half_value{part}"], *ends) for part in ("", "_min", "_max")
        )
        rows.append(
            [
                Cell(row["section"]),
                Cell(row["label"]),
                Cell(str(row["runs"])),
                Cell(middle, value_range(middle, low, high), rank=rank_of(row["half_value"])),
                Cell(row["strength"]),
            ]
        )
    return Table(["task", "model", "runs", "half-value", "of"], rows, sortable=True)


def _text(value: float, weakest: float, strongest: float) -> str:
    """A half-value, or that it lies beyond the strengths that were tested."""
    if value == 0:
        return f"< {numbers.count(weakest)}"
    return f"> {numbers.count(strongest)}" if math.isinf(value) else numbers.score(value)


register_section(
    Section(order=37, anchor="half-values", title="Half-values", blocks=blocks, tables=tables)
)

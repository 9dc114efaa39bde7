"""The main table: what became of every task and model, each figure with its interval."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.page.cells import (
    LAST,
    halves,
    rank_of,
    sequences_texts,
    signed_score,
    value_range,
)
from ntmbench.report.page.words import joined, listed, sentence
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.anchors import run_anchors, task_anchors
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.report.study.summary import summary_table
from ntmbench.report.study.tasks import StudyTask

#: A row of the table of ``summary_table``, by column.
Row = Mapping[Hashable, Any]


CLICKS = (
    "A click on a header sorts each task by itself, a click on a figure shows its seeds and their "
    "commands."
)


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per task and model, controls included."""
    return {"summary": summary_table(study)}


def blocks(study: Study) -> Iterator[Block]:
    """The table, where there is a contestant."""
    table = view(study)
    if table.rows:
        yield Text(_introduction(study), "faint")
        yield Text(CLICKS, "faint", page_only=True)
        yield Tabular(table, kind="main")


def _introduction(study: Study) -> str:
    """What the figures are; and what an error is, where the tasks differ in it."""
    several = "" if study.unit else f" {_what_errors_are(study)}"
    return (
        f"{sentence(errors(study.unit))} and loss are interquartile means over seeds (the mean of "
        "the middle half), lengths and sequences are medians, each with its interval at 95%."
        f"{several}"
    )


def _what_errors_are(study: Study) -> str:
    """``Errors are wrong bits on copy, recall; wrong symbols on key_value.``"""
    by_unit: dict[str, list[str]] = {}
    for task in study.tasks.values():
        by_unit.setdefault(task.unit, []).append(task.label)
    told = (f"{errors(unit)} on {listed(labels, most=12)}" for unit, labels in by_unit.items())
    return f"Errors are {'; '.join(told)}."


@once
def view(study: Study) -> Table:
    """The main table: a row per task and model, controls left out."""
    summary, anchors, seeds = summary_table(study), task_anchors(study), run_anchors(study)
    rows = []
    for row in summary[~summary["control"].astype(bool)].to_dict("records"):
        task = study.tasks[row["section"]]
        opens = f"#{seeds[row['section'], row['label']]}"
        cells = [
            _runs(row),
            _solved(row, task),
            _effective(row, "effective_90", task),
            _effective(row, "effective_99", task),
            _sequences(row, task),
            _at_length(row, "errors", "" if study.unit else f" {task.unit}s"),
            _at_length(row, "loss_over_optimum"),
        ]
        rows.append(
            [
                Cell(row["section"], _measured_at(row), href=f"#{anchors[row['section']]}"),
                _model(row["label"], opens),
                *(
                    Cell(cell.text, cell.note, opens, f"open {cell.kind}".strip(), cell.rank)
                    for cell in cells
                ),
            ]
        )
    header = [
        *("task", "model", "runs", "solved", "90% exact to length", "99% exact to length"),
        *("sequences to solve", errors(study.unit), "loss over optimum"),
    ]
    more_is_better = ("solved", "90% exact to length", "99% exact to length")
    return Table(header, rows, sortable=True, greatest_first=more_is_better, grouped=True)


def _model(label: str, opens: str) -> Cell:
    """A model's name, and below it the settings that tell it from others of the name."""
    name, bracket, settings = label.partition(" (")
    return Cell(name, settings.removesuffix(")") if bracket else "", href=opens, kind="open")


def _measured_at(row: Row) -> str:
    return "" if pd.isna(row["length"]) else f"at length {numbers.count(row['length'])}"


def _runs(row: Row) -> Cell:
    states = ("running", "interrupted", "failed", "diverged")
    told = ", ".join(f"{row[state]} {state}" for state in states if row[state])
    return Cell(str(row["runs"]), note=told, rank=row["runs"])


def _solved(row: Row, task: StudyTask) -> Cell:
    if not task.solvable:
        return Cell("not defined", kind="none", rank=LAST)
    low = numbers.share(row["solved_share_low"])
    high = numbers.upper_share(row["solved_share_high"])
    reached = row["reached"] - row["solved"]
    note = f"{low} to {high}" + (f"; {reached} more only reached it" if reached else "")
    return Cell(f"{row['solved']} of {row['runs']}", note, rank=row["solved_share"])


def _sequences(row: Row, task: StudyTask) -> Cell:
    if not task.solvable:
        return Cell("not defined", kind="none", rank=LAST)
    unfinished = bool(row["running"]) or bool(row["interrupted"])
    median, low, high = (row[f"sequences_to_solve{part}"] for part in ("", "_low", "_high"))
    middle, spread = sequences_texts(median, low, high, row["budget"], unfinished=unfinished)
    sides = halves(row["half_solved_by"], row["half_solved_from"])
    return Cell(middle, joined(spread, sides), rank=rank_of(median))


def _effective(row: Row, name: str, task: StudyTask) -> Cell:
    if not task.solvable:
        return Cell("not defined", kind="none", rank=LAST)
    if math.isnan(row[name]):
        return Cell("not tested", kind="none", rank=LAST)
    middle, low, high = (_effective_text(row[f"{name}{part}"]) for part in ("", "_low", "_high"))
    spread = value_range(middle, low, high) if low and high else "1 run"
    return Cell(middle, joined(spread, *_tested(row)), rank=row[name])


def _effective_text(value: float) -> str:
    if math.isnan(value):
        return ""
    return numbers.count(value) if value == round(value) else f"{value:,.1f}"


def _at_length(row: Row, score: str, unit: str = "") -> Cell:
    """A score at the task's length; ``unit`` is told with it, where rows differ in that."""
    if math.isnan(row[score]):
        return Cell("not tested", kind="none", rank=LAST)
    middle, low, high = (signed_score(row[f"{score}{part}"]) for part in ("", "_low", "_high"))
    notes = [value_range(middle, low, high) if low and high else "1 run"]
    if score == "errors" and 0 < row["at_zero"] < row["evaluated"]:
        notes.append(f"{row['at_zero']} of {row['evaluated']} at zero")
    known = middle + unit if math.isfinite(row[score]) else middle
    return Cell(known, joined(*notes, *_tested(row)), rank=rank_of(row[score]))


def _tested(row: Row) -> list[str]:
    """A note for what is not over all runs."""
    some = row["evaluated"] < row["runs"]
    return [f"{row['evaluated']} of {row['runs']} tested"] if some else []


register_section(
    Section(
        order=20,
        anchor="summary",
        title="All tasks and models",
        blocks=blocks,
        tables=tables,
    )
)

"""Inside the machines: which answers are wrong, and where the heads of a memory were."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from ntmbench.plotting.run.look import SHORT, worth_drawing
from ntmbench.plotting.svg import svg
from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import (
    Block,
    Bullets,
    Cell,
    Heading,
    Picture,
    Pictures,
    Table,
    Tabular,
    Text,
)
from ntmbench.report.page.cells import rank_of, value_range
from ntmbench.report.page.words import joined
from ntmbench.report.plots.look import plot_look_errors
from ntmbench.report.plots.models import looks_of
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.anchors import task_anchors
from ntmbench.report.study.look import look_bins_table, look_ends_table, look_heads_table
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask

INTRODUCTION = (
    "A look into the selected weights, on validation data of the longest training length. An "
    "answer is one scored step. Its gap is that from the number asked for to the nearest other "
    "number that was shown; duplicates are other items of the same number. Errors are "
    "interquartile means over seeds with their interval at 95%."
)
HEADS = (
    "Where the heads were: writes while the input is shown, reads in the answer. Of several heads "
    "the one with the most of each figure counts; medians and ranges over seeds. By number and by "
    "step: the share of the slot's variance that is explained by the number that puts items in "
    "order, and by the step (a correlation ratio). On the item: the weight that reads put on the "
    "slot that was written when the item asked for was shown."
)
#: What the two ends are in words, by what errors are told against.
WHERE = {
    "position": ("at steps up to {:g}", "at steps from {:g} on"),
    "gap": ("where the gap is at most {:g}", "where it is over {:g}"),
    "duplicates": ("without duplicates", "with duplicates"),
}
#: More models than these are told of in the table alone.
MOST_TOLD = 6

#: A row of one of the tables of ``study.look``, by column.
Row = Mapping[Hashable, Any]


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """Errors in bins, at both ends, and the use of heads; none where no run has a look."""
    if study.look.empty:
        return {}
    return {
        "look": look_bins_table(study),
        "look_ends": look_ends_table(study),
        "heads": look_heads_table(study),
    }


def blocks(study: Study) -> Iterator[Block]:
    """For each task what was found, as sentences, pictures and tables."""
    if study.look.empty:
        return
    yield Text(INTRODUCTION, "faint")
    if len(study.heads):
        yield Text(HEADS, "faint")
    for task, members in study.by_task():
        contestants = members[~members["control"]]
        yield from _of_task(study, task, contestants)


def _of_task(study: Study, task: StudyTask, runs: pd.DataFrame) -> Iterator[Block]:
    bins, ends, heads = (
        table[(table["section"] == task.label) & table["label"].isin(runs["label"])]
        for table in (look_bins_table(study), look_ends_table(study), look_heads_table(study))
    )
    if bins.empty:
        return
    yield Heading(task.label)
    if len(ends):
        yield Bullets([_told(rows, task.unit) for _, rows in ends.groupby("against", sort=False)])
    yield Pictures(list(_pictures(study, task, bins, runs)))
    if len(ends):
        yield Tabular(ends_view(ends, task.unit), "Errors at both ends")
    if len(heads):
        yield Tabular(heads_view(heads))


def _told(ends: pd.DataFrame, unit: str) -> str:
    """``By gap: ntm makes 0.43 wrong bits where the gap is at most 1 and ...; lstm ...``."""
    told: list[str] = []
    for row in ends.head(MOST_TOLD).to_dict("records"):
        first, last = (_with_interval(row, end) for end in ("first", "last"))
        if told:
            told.append(f"{row['label']} {first} and {last}{_ratio(row)}")
        else:
            low, high = _where(row)
            model = f"{row['label']} makes {first} {errors(unit)}"
            told.append(f"{model} {low} and {last} {high}{_ratio(row)}")
    return f"By {SHORT[str(ends['against'].iloc[0])]}: {'; '.join(told)}."


def _ratio(row: Row) -> str:
    """How many times as many errors one end has as the other, where the intervals are apart."""
    few, many = sorted(("first", "last"), key=lambda end: float(row[f"{end}_errors"]))
    least, most = row[f"{few}_errors"], row[f"{many}_errors"]
    apart = row[f"{few}_errors_high"] < row[f"{many}_errors_low"]  # False where not known
    if not apart or not least or math.isinf(most):
        return ""
    case = "first" if many == "first" else "second"
    return f", {numbers.score(most / least)} times as many in the {case} case"


def _where(row: Row) -> tuple[str, str]:
    """What the two ends are, in words; steps are counted from 1."""
    more = 1 if row["against"] == "position" else 0
    low, high = WHERE[str(row["against"])]
    return low.format(row["first_to"] + more), high.format(row["last_from"] + more)


def _with_interval(row: Row, end: str) -> str:
    middle, low, high = _texts(row, end)
    spread = value_range(middle, low, high) if low and high else ""
    return f"{middle} ({spread})" if spread else middle


def _texts(row: Row, end: str) -> list[str]:
    """The errors at an end and their interval."""
    return [numbers.score(row[f"{end}_errors{part}"]) for part in ("", "_low", "_high")]


def ends_view(ends: pd.DataFrame, unit: str) -> Table:
    """A row per model and what errors are told against."""
    rows = []
    for row in ends.to_dict("records"):
        cells = [Cell(SHORT[row["against"]]), Cell(row["label"]), Cell(str(row["runs"]))]
        for end, where in zip(("first", "last"), _where(row), strict=True):
            middle, low, high = _texts(row, end)
            spread = value_range(middle, low, high) if low and high else "1 run"
            note = joined(where, spread)
            cells.append(Cell(middle, note, rank=rank_of(row[f"{end}_errors"])))
        rows.append(cells)
    told = f"{errors(unit)} of an answer"
    return Table(["by", "model", "runs", f"{told}, low end", f"{told}, high end"], rows)


def heads_view(heads: pd.DataFrame) -> Table:
    """A row per model, and write or read heads."""
    rows = []
    for row in heads.to_dict("records"):
        chance = row["on_any_item"]
        blindly = "" if math.isnan(chance) else f"{numbers.share(chance)} on any item"
        slots = "" if math.isnan(row["slots"]) else f"of {numbers.count(row['slots'])}"
        kind = f"{row['does']} {'head' if row['heads'] == 1 else 'heads'}"
        cells = [
            _median(row, "slots_in_use", numbers.score, slots),
            *(_median(row, name, numbers.share) for name in ("by_key", "by_position", "sharpness")),
            _median(row, "on_item", numbers.share, blindly),
        ]
        rows.append([Cell(row["label"]), Cell(kind), Cell(str(row["runs"])), *cells])
    header = ["model", "heads", "runs", "slots in use", "by number", "by step", "largest weight"]
    return Table([*header, "on the item"], rows)


def _median(row: Row, measure: str, write: Callable[[float], str], more: str = "") -> Cell:
    values = [row[f"{measure}_{part}"] for part in ("median", "min", "max")]
    if math.isnan(values[0]):
        return Cell("")
    middle, low, high = (write(value) for value in values)
    return Cell(middle, joined(value_range(middle, low, high), more))


def _pictures(
    study: Study, task: StudyTask, bins: pd.DataFrame, runs: pd.DataFrame
) -> Iterator[Picture]:
    anchor = task_anchors(study)[task.label]
    at_least = bins[bins["length"] == bins["length"].min()]
    for against, rows in at_least.groupby("against", sort=False):
        if not worth_drawing(rows, str(against)):
            continue
        name = f"{anchor}-look-{against}"
        figure = plot_look_errors(rows, str(against), looks_of(study, runs), unit=task.unit)
        title = f"{task.label}: {errors(task.unit)} of an answer, by {SHORT[str(against)]}"
        yield Picture(f"{name}.svg", title, svg(figure, name))


register_section(
    Section(order=45, anchor="inside", title="Inside the machines", blocks=blocks, tables=tables)
)

"""Profiles: what share of chance's errors each model has left on each task, and its cost."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from ntmbench.data.families import family_place
from ntmbench.plotting.svg import svg
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Picture, Pictures, Table, Tabular, Text
from ntmbench.report.page.cells import count_cell, rank_of
from ntmbench.report.plots.profile import plot_profile
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.profile import profile_table, spread_table
from ntmbench.report.study.study import Study

NOTE = (
    "The errors of the median run at the longest test length within training, and at the one that "
    "is nearest to twice as long: 0% is the optimum of the task, 100% is chance."
)
NUMBERS = "These shares in numbers, with errors, longer lengths and times"
#: A row of the table of ``profile_table``, by column.
Row = Mapping[Hashable, Any]

SPREAD_NOTE = (
    "How far each task tells the models apart, at the longest test length within training."
)


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per task and model, and a row per task; none where there is nothing to compare."""
    if not _has_profile(study):
        return {}
    return {"profile": profile_table(study), "spread": spread_table(study)}


def blocks(study: Study) -> Iterator[Block]:
    """The picture, and the tables; nothing where there is one task with one choice of settings."""
    if not _has_profile(study):
        return
    profile, spread = profile_table(study), spread_table(study)
    yield Text(NOTE, "faint")
    title = "Share of chance's errors that is left, per cent, by task and model"
    yield Pictures(
        [Picture("profile.svg", title, svg(plot_profile(profile), "profile"), wide=True)]
    )
    yield Tabular(view(profile), NUMBERS)
    if len(spread):
        yield Text(SPREAD_NOTE, "faint")
        yield Tabular(spread_view(spread))


def view(profile: pd.DataFrame) -> Table:
    """The table of all tasks and models as text."""
    rows = [
        [
            _family_cell(row),
            Cell(row["section"]),
            Cell(row["label"]),
            _solved_cell(row),
            _share_cell(row, ""),
            _share_cell(row, "_beyond"),
            count_cell(row["sequences"]),
            Cell(numbers.duration(row["train_seconds"]), rank=rank_of(row["train_seconds"])),
        ]
        for row in profile.to_dict("records")
    ]
    header = ["family", "task", "model", "solved", "of chance's errors", "at a longer length"]
    return Table([*header, "training sequences", "training time"], rows, sortable=True)


def spread_view(spread: pd.DataFrame) -> Table:
    """The table of all tasks as text, the most telling first."""
    rows = [
        [
            _family_cell(row),
            Cell(row["section"]),
            Cell(str(row["models"])),
            Cell(row["best"], numbers.upper_share(row["least"]), rank=rank_of(row["least"])),
            Cell(row["worst"], numbers.upper_share(row["most"]), rank=rank_of(row["most"])),
            Cell(numbers.upper_share(row["spread"]), rank=rank_of(row["spread"])),
        ]
        for row in spread.sort_values("spread", ascending=False).to_dict("records")
    ]
    header = ["family", "task", "models", "best", "worst", "spread"]
    return Table(header, rows, sortable=True, greatest_first=["spread"])


def _family_cell(row: Row) -> Cell:
    """A family, which a click on the header sorts as ``FAMILIES`` does."""
    return Cell(row["family"], rank=family_place(row["family"])[0])


def _solved_cell(row: Row) -> Cell:
    """How many runs solved the task; nothing where its optimum makes mistakes itself."""
    runs, tested = int(row["runs"]), int(row["tested"])
    note = "" if tested == runs else f"{tested} tested"
    return Cell("" if pd.isna(row["solved"]) else f"{row['solved']:.0f} of {runs}", note)


def _share_cell(row: Row, where: str) -> Cell:
    """A share of chance's errors, with the length and the errors themselves."""
    share, errors = row[f"share{where}"], row[f"errors{where}"]
    length = row["beyond" if where else "length"]
    if pd.isna(length):
        return Cell("", rank=rank_of(share))
    return Cell(
        _text(share), f"{numbers.score(errors)} at {numbers.count(length)}", rank=rank_of(share)
    )


def _text(share: float) -> str:
    """A share of errors, rounded up; nothing where it is not known."""
    if math.isnan(share):
        return ""
    return "infinite" if math.isinf(share) else numbers.upper_share(share)


def _has_profile(study: Study) -> bool:
    return profile_table(study)["section"].nunique() > 1


register_section(
    Section(order=15, anchor="profile", title="Profiles", blocks=blocks, tables=tables)
)

"""What the runs were made with: commits, versions, devices and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.provenance import CHANGED, THEN, UNKNOWN, Provenance, provenance
from ntmbench.report.study.study import Study


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per commit, set of versions and device."""
    return {"provenance": provenance(study).table}


def blocks(study: Study) -> Iterator[Block]:
    """The time of all runs, and the table."""
    made = provenance(study)
    if len(made.table):
        yield Text(_made_when(made))
        yield Tabular(view(made.table))


def view(table: pd.DataFrame) -> Table:
    """A row per commit, set of versions and device."""
    rows = [
        [
            _commits(row["commit"]),
            Cell(row["versions"]),
            Cell(row["device"]),
            Cell(str(row["runs"]), note=row["sections"]),
            Cell(numbers.duration(row["wall_seconds"])),
        ]
        for row in table.to_dict("records")
    ]
    return Table(["commit", "versions", "device", "runs", "wall time, summed"], rows)


def _commits(commit: str) -> Cell:
    """Commits at their usual length; a ``+`` says that the source was not quite that."""
    short = THEN.join(
        one[:12] + CHANGED * one.endswith(CHANGED) if one != UNKNOWN else one
        for one in commit.split(THEN)
    )
    return Cell(short, note="source changed since" if CHANGED in commit else "")


def _made_when(made: Provenance) -> str:
    """When the runs were made, and what they took."""
    hours = numbers.duration(made.wall_seconds)
    when = f", from {made.first[:10]} to {made.last[:10]}" if made.first and made.last else ""
    return f"The wall time of all runs, summed, is {hours}{when}."


register_section(
    Section(order=80, anchor="made-with", title="Made with", blocks=blocks, tables=tables)
)

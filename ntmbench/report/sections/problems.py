"""Runs that are not finished, and folders that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Cell, Chapter, Table, Tabular
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.listing import problems_table
from ntmbench.report.study.study import Study

TITLE = "Not finished or not readable"

#: Of a state that tells no reason itself.
REASONS = {
    "running": "A process is at work on it.",
    "interrupted": "No process is at work on it; the command that started it resumes it.",
}


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """A row per run that is not finished, and per folder that holds no readable run."""
    return {"problems": problems_table(study)}


def blocks(study: Study) -> Iterator[Chapter]:
    """A chapter whose title counts them; none where all is well."""
    problems = problems_table(study)
    if len(problems):
        table = Tabular(view(problems), "Which, and why", "problems")
        yield Chapter("problems", f"{TITLE} ({len(problems)})", [table])


def view(problems: pd.DataFrame) -> Table:
    """Runs that are not finished and folders that cannot be read, each with its reason."""
    rows = []
    for row in problems.to_dict("records"):
        progress = ""
        if row["outcome"] != "unreadable":
            progress = f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
        state = Cell(row["outcome"], kind=f"state {row['outcome']}")
        reason = row["error"] if isinstance(row["error"], str) else REASONS.get(row["outcome"], "")
        rows.append([Cell(row["run"]), state, Cell(progress), Cell(reason)])
    return Table(["run", "state", "sequences", "reason"], rows)


register_section(Section(order=10, anchor="problems", title=TITLE, blocks=blocks, tables=tables))

"""From results to a report: the study, its sections, the page, and their writing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ntmbench.data.files import write_text
from ntmbench.data.spreadsheet import csv_of
from ntmbench.errors import UserError
from ntmbench.report.page.blocks import Page
from ntmbench.report.page.latex import latex_table
from ntmbench.report.page.render import render_html, render_markdown
from ntmbench.report.page.words import plural
from ntmbench.report.section import all_sections, chapters_of, tables_of
from ntmbench.report.sections.summary import view as main_table
from ntmbench.report.study.alerts import alerts
from ntmbench.report.study.study import Study, make_study
from ntmbench.runs.results import Results


@dataclass(frozen=True)
class Report:
    """Everything that is written: ``tables`` by name, the page, and the main table in LaTeX."""

    tables: dict[str, pd.DataFrame]
    page: Page
    latex: str


def build_report(results: Results, source: Path) -> Report:
    """Compute the report of what ``load_results(source)`` returned.

    Raises:
        UserError: if there is no run, readable or not.
        PluginError: if a plug-in cannot be loaded, or two sections have the same name.
    """
    if results.runs.empty and not results.unreadable:
        raise UserError(f"There are no runs under {source}, so there is nothing to report.")
    study = make_study(results, source)
    sections = all_sections()
    page = Page(
        source=str(source),
        headline=_headline(study),
        alerts=alerts(study),
        chapters=[chapter for section in sections for chapter in chapters_of(section, study)],
    )
    return Report(tables_of(sections, study), page, latex_table(main_table(study)))


def write_report(report: Report, folder: Path) -> Path:
    """Write a report into ``folder``; returns the page, which is written last.

    Raises:
        UserError: if something cannot be written.
    """
    try:
        for part in ("tables", "plots"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for name, table in report.tables.items():
            write_text(folder / "tables" / f"{name}.csv", csv_of(table))
        for picture in report.page.pictures:
            write_text(folder / "plots" / picture.file, picture.svg)
        write_text(folder / "table.tex", report.latex)
        write_text(folder / "report.md", render_markdown(report.page))
        write_text(folder / "index.html", render_html(report.page))
    except OSError as error:
        raise UserError(f"The report cannot be written to {folder}: {error}") from error
    return folder / "index.html"


def _headline(study: Study) -> str:
    """How many runs there are, of what, and in which state."""
    states = study.runs["outcome"].value_counts()
    told = ", ".join(f"{number:,} {state}" for state, number in states.items())
    models = plural(study.runs["model"].nunique(), "model")
    tasks = plural(len(study.tasks), "task")
    return f"{plural(len(study.runs), 'run')} of {models} on {tasks}: {told or 'none'}."

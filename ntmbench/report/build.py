"""From results to a report: tables, pictures and the page, and their writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ntmbench.files import write_bytes, write_text
from ntmbench.report import page as views
from ntmbench.report.grouping import with_groups
from ntmbench.report.page import Page, Picture, SectionView
from ntmbench.report.plots import plot_curves, plot_lengths
from ntmbench.report.sections import Section, make_section
from ntmbench.report.statistics import outcomes as outcomes_of
from ntmbench.report.style import (
    Level,
    Look,
    chance_level,
    looks,
    optimum_level,
    paper_levels,
    paper_moments,
    png,
)
from ntmbench.report.tables import (
    curves_table,
    lengths_table,
    problems_table,
    runs_table,
    summary_table,
)
from ntmbench.runs import EVALUATION_COLUMNS, METRICS_COLUMNS, Results
from ntmbench.settings import UserError

NUMBERS = ["seed", "parameters", "train_sequences", "min_length", "max_length"]
NUMBERS += ["selected_step", "sequences_per_second", "train_seconds", "wall_seconds"]
TITLES = {
    "wrong_bits": "Wrong bits per sequence by test length",
    "exact_match": "Sequences without a wrong bit by test length",
    "loss_bits": "Loss bits per sequence by test length",
}


@dataclass(frozen=True)
class Report:
    """Everything that is written: ``tables`` and the page's pictures by name, and the page."""

    tables: dict[str, pd.DataFrame]
    page: Page

    @property
    def pictures(self) -> list[Picture]:
        """All pictures of the page."""
        return [picture for section in self.page.sections for picture in section.pictures]


def build_report(results: Results, source: Path) -> Report:
    """Compute the report of what ``load_results(source)`` returned.

    Raises:
        UserError: if there is no run, readable or not.
    """
    if results.runs.empty and not results.unreadable:
        raise UserError(f"There are no runs under {source}, so there is nothing to report.")
    runs = with_groups(_numeric(results.runs, NUMBERS), results.settings)
    metrics = _numeric(results.metrics, METRICS_COLUMNS)
    evaluation = _numeric(results.evaluation, EVALUATION_COLUMNS)
    outcomes = outcomes_of(runs, metrics)
    sections = {
        label: make_section(
            label,
            results.settings[members["run"].iloc[0]],
            members,
            evaluation[evaluation["run"].isin(members["run"])],
        )
        for label, members in _by_section(outcomes)
    }
    tables = {
        "summary": summary_table(outcomes, sections),
        "lengths": lengths_table(outcomes, evaluation, sections),
        "curves": curves_table(outcomes, metrics),
        "runs": runs_table(outcomes, sections),
        "problems": problems_table(outcomes, results.unreadable),
    }
    look = looks(sorted(set(outcomes["label"])))
    anchors = views.slugs(sections)
    page = Page(
        source=str(source),
        headline=views.headline(outcomes),
        problems=views.problems_view(tables["problems"]),
        summary=views.summary_view(tables["summary"], tables["lengths"], sections, anchors),
        sections=[
            _section_view(
                sections[label], anchors[label], members, metrics, tables, look, source / "report"
            )
            for label, members in _by_section(tables["runs"])
        ],
    )
    return Report(tables, page)


def write_report(report: Report, folder: Path) -> Path:
    """Write a report into ``folder``; returns the page, which is written last.

    Raises:
        UserError: if something can not be written.
    """
    try:
        for part in ("tables", "plots"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for name, table in report.tables.items():
            write_text(folder / "tables" / f"{name}.csv", table.to_csv(index=False))
        for picture in report.pictures:
            write_bytes(folder / "plots" / picture.file, picture.png)
        write_text(folder / "report.md", views.render_markdown(report.page))
        write_text(folder / "index.html", views.render_html(report.page))
    except OSError as error:
        raise UserError(f"The report can not be written to {folder}: {error}") from error
    return folder / "index.html"


def _section_view(
    section: Section,
    anchor: str,
    outcomes: pd.DataFrame,
    metrics: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    look: Mapping[str, Look],
    folder: Path,
) -> SectionView:
    of_section = {
        name: tables[name][tables[name]["section"] == section.label]
        for name in ("lengths", "curves")
    }
    curves = metrics.merge(outcomes[["run", "label"]], on="run")
    # Where zero wrong bits can not be had, the loss tells more.
    scores = ["wrong_bits", "exact_match"] if section.solvable else ["loss_bits", "wrong_bits"]
    pictures = []
    if len(curves):
        bands = of_section["curves"]
        for column in ("wrong_bits", "loss_bits"):
            figure = plot_curves(
                curves,
                bands[bands["metric"] == column],
                column,
                look,
                _levels(section, column),
                # The paper draws the loss.
                paper_moments(section.paper) if column == "loss_bits" else (),
            )
            title = f"{section.label}: learning curves, {column.replace('_', ' ')}"
            pictures.append(_picture(anchor, f"curve-{column}", title, png(figure)))
    if len(of_section["lengths"]):
        for score in scores:
            figure = plot_lengths(
                of_section["lengths"],
                score,
                look,
                section.lengths,
                _levels_by_length(of_section["lengths"], score, solvable=section.solvable),
            )
            title = f"{section.label}: {TITLES[score].lower()}"
            pictures.append(_picture(anchor, f"length-{score}", title, png(figure)))
    return SectionView(
        label=section.label,
        anchor=anchor,
        notes=views.section_notes(section),
        pictures=pictures,
        scores=[
            (TITLES[score], views.scores_view(of_section["lengths"], score))
            for score in scores
            if len(of_section["lengths"])
        ],
        runs=views.runs_view(outcomes, folder),
    )


def _levels(section: Section, column: str) -> list[Level]:
    """What to compare a learning curve with."""
    if section.validation is None:
        return []
    optimum: float = getattr(section.validation.optimum, column)
    levels = [chance_level(getattr(section.validation.chance, column))]
    if not section.solvable:
        levels.append(optimum_level(optimum))
    if column == "loss_bits":
        levels.extend(paper_levels(section.paper, optimum))
    return levels


def _levels_by_length(lengths: pd.DataFrame, score: str, *, solvable: bool) -> pd.DataFrame:
    """What to compare a score over length with: the columns length, name and value."""
    known = {"wrong_bits": ("chance", "chance_wrong_bits")}
    if not solvable:
        known["loss_bits"] = ("optimum", "optimum_loss_bits")
    if score not in known:
        return pd.DataFrame(columns=["length", "name", "value"])
    name, column = known[score]
    values = lengths.groupby("length")[column].max().dropna()
    return pd.DataFrame({"length": values.index, "name": name, "value": values.to_numpy()})


def _picture(anchor: str, name: str, title: str, image: bytes) -> Picture:
    return Picture(f"{anchor}-{name.replace('_', '-')}.png", title, image)


def _by_section(outcomes: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(label), members) for label, members in outcomes.groupby("section")]


def _numeric(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Numbers in columns that are to hold numbers; anything else in them is missing."""
    converted: Any = {name: pd.to_numeric(table[name], errors="coerce") for name in columns}
    return table.assign(**converted)

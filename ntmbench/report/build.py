"""From results to a report: tables, pictures and the page, and their writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ntmbench.data.files import write_text
from ntmbench.errors import UserError
from ntmbench.plotting.style import COLOURS, Look, looks
from ntmbench.report import numbers, views
from ntmbench.report import page as pages
from ntmbench.report import tables as tabulate
from ntmbench.report.alerts import alerts
from ntmbench.report.cells import listed, plural
from ntmbench.report.commands import Repeat, command, repeat
from ntmbench.report.controls import check_controls
from ntmbench.report.grouping import groups, untold
from ntmbench.report.latex import latex_table
from ntmbench.report.method import INTRODUCTIONS, METHOD
from ntmbench.report.overall import overall_note, overall_table, overall_view
from ntmbench.report.page import Page, Picture, SectionView, Seeds, Table, slugs
from ntmbench.report.pairs import pairs_table
from ntmbench.report.pairs_view import comparisons_view, undetectable
from ntmbench.report.pictures import TITLES, gallery_pictures, scores_of, section_pictures
from ntmbench.report.provenance import Provenance, provenance
from ntmbench.report.scorecard import scorecard_table
from ntmbench.report.sections import Section
from ntmbench.report.study import Study, make_study
from ntmbench.report.summary_view import summary_view
from ntmbench.runs.results import Results


@dataclass(frozen=True)
class Report:
    """Everything that is written: ``tables`` by name, the page, and the main table in LaTeX."""

    tables: dict[str, pd.DataFrame]
    page: Page
    latex: str

    @property
    def pictures(self) -> list[Picture]:
        """All pictures of the page."""
        return [
            picture
            for section in self.page.sections
            for picture in (*section.pictures, *section.gallery)
        ]


def build_report(results: Results, source: Path) -> Report:
    """Compute the report of what ``load_results(source)`` returned.

    Raises:
        UserError: if there is no run, readable or not.
    """
    if results.runs.empty and not results.unreadable:
        raise UserError(f"There are no runs under {source}, so there is nothing to report.")
    study = make_study(results)
    repeats, refusals = _repeats(study)
    checks = check_controls(study)
    made = provenance(study)
    tables = {
        "summary": tabulate.summary_table(study),
        "overall": overall_table(study),
        "lengths": tabulate.lengths_table(study),
        "variations": tabulate.variations_table(study),
        "curves": tabulate.curves_table(study),
        "survival": tabulate.survival_table(study),
        "positions": tabulate.positions_table(study),
        "comparisons": pairs_table(study),
        "scorecard": scorecard_table(study, repeats),
        "runs": tabulate.runs_table(study),
        "problems": tabulate.problems_table(study),
        "provenance": made.table,
    }
    anchors = slugs(study.sections)
    in_order = [(section, label) for section, label, _ in groups(study.runs)]
    names = {f"runs {section} {label}": (section, label) for section, label in in_order}
    seeds = {names[name]: slug for name, slug in slugs(names).items()}
    page = Page(
        source=str(source),
        headline=_headline(study, made),
        alerts=alerts(study, checks, made),
        problems=views.problems_view(tables["problems"]),
        controls=views.controls_view(checks),
        summary=summary_view(tables["summary"], study.sections, anchors, seeds),
        overall=overall_view(tables["overall"]),
        overall_note=overall_note(tables["overall"]),
        scorecard=views.scorecard_view(tables["scorecard"]),
        costs=views.costs_view(tables["summary"], _by_setting(study)),
        sections=[
            _section_view(section, anchors[section.label], study, tables)
            for section, _ in study.by_section()
        ],
        provenance=views.provenance_view(made.table),
        provenance_note=_made_when(made),
        introductions=INTRODUCTIONS,
        method=METHOD,
    )
    folder = source / "report"
    for view in page.sections:
        view.seeds.extend(
            _seeds(study, (view.label, label), seeds, repeats, refusals, folder)
            for section, label in in_order
            if section == view.label
        )
    return Report(tables, page, latex_table(page.summary))


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
            write_text(folder / "plots" / picture.file, picture.svg)
        write_text(folder / "table.tex", report.latex)
        write_text(folder / "report.md", pages.render_markdown(report.page))
        write_text(folder / "index.html", pages.render_html(report.page))
    except OSError as error:
        raise UserError(f"The report can not be written to {folder}: {error}") from error
    return folder / "index.html"


def _section_view(
    section: Section,
    anchor: str,
    study: Study,
    tables: Mapping[str, pd.DataFrame],
) -> SectionView:
    runs = study.runs[(study.runs["section"] == section.label) & ~study.runs["control"]]
    of_section = {
        name: table[(table["section"] == section.label) & table["label"].isin(runs["label"])]
        for name in ("lengths", "variations", "curves", "survival", "positions")
        for table in [tables[name]]
    }
    pairs = tables["comparisons"]
    pairs = pairs[pairs["section"] == section.label]
    gallery, faults = gallery_pictures(section, anchor, runs)
    lengths = of_section["lengths"]
    scores: list[tuple[str, Table]] = [
        (f"{TITLES[score]}, median and range over seeds", views.lengths_view(lengths, score))
        for score in scores_of(section)
        if len(lengths)
    ]
    if len(of_section["variations"]):
        scores.append(
            (
                "Variations, median and range over seeds",
                views.variations_view(of_section["variations"]),
            )
        )
    return SectionView(
        label=section.label,
        anchor=anchor,
        notes=[*_notes(section), *_untold(study, runs)],
        pictures=section_pictures(section, anchor, study, of_section, _looks(study, runs)),
        tables=scores,
        comparisons=comparisons_view(pairs),
        comparison_note=undetectable(pairs) if runs["label"].nunique() > 1 else "",
        gallery=gallery,
        gallery_note=" ".join(faults),
        seeds=[],
    )


def _looks(study: Study, runs: pd.DataFrame) -> dict[str, Look]:
    """How the models of one task are drawn: alike on all tasks, while the colours suffice."""
    everywhere = list(dict.fromkeys(study.runs.loc[~study.runs["control"], "label"]))
    return looks(
        everywhere if len(everywhere) <= len(COLOURS) else list(dict.fromkeys(runs["label"]))
    )


def _seeds(
    study: Study,
    group: tuple[str, str],
    anchors: Mapping[tuple[str, str], str],
    repeats: Mapping[str, Repeat],
    refusals: Mapping[str, str],
    folder: Path,
) -> Seeds:
    section, label = group
    runs = study.runs[(study.runs["section"] == section) & (study.runs["label"] == label)]
    first = runs["run"].iloc[0]
    if first in repeats:
        overrides, note = repeats[first].overrides, repeats[first].caveat
        commands = {seed: command(overrides, [seed]) for seed in runs["seed"]}
        all_seeds = command(overrides, runs["seed"])
    else:
        note, all_seeds, commands = f"No command: {refusals[first]}", "", {}
    return Seeds(
        anchor=anchors[group],
        title=f"{section}: {label}",
        command=all_seeds,
        caveat=note,
        runs=views.seeds_view(runs, study.sections[section], folder, commands),
    )


def _repeats(study: Study) -> tuple[dict[str, Repeat], dict[str, str]]:
    """Of each run how it is repeated, or why it can not be; runs of one setting share it."""
    repeats: dict[str, Repeat] = {}
    refusals: dict[str, str] = {}
    for _, members in study.runs.groupby("setting"):
        runs = list(members["run"])
        try:
            repeats |= dict.fromkeys(runs, repeat(study.settings[runs[0]]))
        except (UserError, TypeError, ValueError, KeyError) as error:
            refusals |= dict.fromkeys(runs, str(error))
    return repeats, refusals


def _by_setting(study: Study) -> dict[str, Mapping[str, object]]:
    return {
        setting: study.settings[run]
        for setting, run in zip(study.runs["setting"], study.runs["run"], strict=True)
    }


def _headline(study: Study, made: Provenance) -> str:
    """How many runs there are, of what, and in which state."""
    states = study.runs["outcome"].value_counts()
    told = ", ".join(f"{number:,} {state}" for state, number in states.items())
    models = plural(study.runs["model"].nunique(), "model")
    tasks = plural(len(study.sections), "task")
    return f"{plural(len(study.runs), 'run')} of {models} on {tasks}: {told or 'none'}."


def _made_when(made: Provenance) -> str:
    """When the runs were made, and what they took."""
    hours = numbers.duration(made.wall_seconds)
    when = f", from {made.first[:10]} to {made.last[:10]}" if made.first and made.last else ""
    return f"The wall time of all runs, summed, is {hours}{when}."


def _untold(study: Study, runs: pd.DataFrame) -> list[str]:
    """Settings in which models differ beyond what their names tell."""
    notes = []
    for model, by_setting in untold(runs, study.settings).items():
        told = []
        for setting, values in by_setting.items():
            of_value: dict[str, list[str]] = {}
            for label, value in values.items():
                of_value.setdefault(value, []).append(_variant(label))
            one_each = (f"{value} in {listed(labels)}" for value, labels in of_value.items())
            told.append(f"{setting} ({'; '.join(one_each)})")
        notes.append(f"Beyond what their names tell, the runs of {model} differ in {listed(told)}.")
    return notes


def _variant(label: str) -> str:
    """``ntm (controller=lstm) -> controller=lstm``."""
    return label.partition(" (")[2].removesuffix(")") or label


def _notes(section: Section) -> list[str]:
    """What must be known to read a section's numbers."""
    notes = [section.note] if section.note else []
    if section.lengths is not None:
        low, high = section.lengths
        trained = f"{low:,} to {high:,}" if low < high else f"{low:,}"
        beyond = [f"{length:,}" for length in section.selection_lengths if length > high]
        if beyond:
            notes.append(
                f"Trained on length {trained}. Weights are selected on validation data of that "
                f"and of length {' and '.join(beyond)}."
            )
    if section.validation is not None and not section.solvable:
        optimum = section.validation.optimum
        notes.append(
            "The best possible answer makes mistakes on this task, so solved and effective length "
            "are not defined. On the validation data the optimum is "
            f"{numbers.bits(optimum.loss_bits)} loss bits and "
            f"{numbers.bits(optimum.errors)} wrong bits per sequence."
        )
    return notes

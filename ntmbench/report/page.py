"""The report as people read it: the tables' numbers as text, and two templates that lay them out.

Everything that comes from a run (names, settings, errors) is escaped by the templates'
environments, for HTML and for Markdown.
"""

from __future__ import annotations

import base64
import math
import os
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ntmbench.report import numbers
from ntmbench.report.sections import Section
from ntmbench.report.statistics import SOLVED_BELOW

#: A row of a table, by column.
Row = Mapping[Hashable, Any]

#: Pictures that a run draws of itself, in the order in which they are linked.
RUN_PICTURES = ("learning_curve", "generalisation", "example", "memory")


METHOD = (
    "Runs that differ in their seed alone form one row; seeds are the unit of replication. Models "
    "and tasks are named by the settings in which they differ from others of the same name.",
    f"A run has reached a task at the first validation with fewer than {SOLVED_BELOW} wrong bits "
    "per sequence, and has solved it if all validations from some point to the end of a finished "
    "training are below that; its sequences to solve are counted up to that point.",
    "Runs that did not solve the task count as infinitely slow in medians and quartiles, and are "
    "shown as more than their budget (or as not yet, while some runs are not at their end).",
    "Validation data (the learning curves) have the lengths of training. Test data (scores over "
    "length) are never used in training or selection, and are scored with the selected weights.",
    "Learning curves show the median and the interquartile range over runs, and each run as a thin "
    "line. After its end a diverged run counts as infinitely bad there; failed and unfinished runs "
    "count as far as they came. Scores over length show the median and the whole range.",
    "Wrong bits are thresholded bits that differ; loss bits are cross-entropy. Chance is the best "
    "constant answer, the optimum is the task's oracle. Numbers are never rounded to 0 or to 100%.",
)


#: Of a state that tells no reason itself.
REASONS = {
    "running": "A process is at work on it.",
    "interrupted": "No process is at work on it; the command that started it resumes it.",
}


@dataclass(frozen=True)
class Cell:
    """A cell of a table, or a part of one.

    ``href`` makes it a link, ``note`` is shown small below it, ``kind`` is for the style sheet.
    """

    text: str
    note: str = ""
    href: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table of text; a cell is a list of parts, most often one."""

    header: list[str]
    rows: list[list[list[Cell]]]


@dataclass(frozen=True)
class Picture:
    """A picture, by its file's name in ``plots/``, and what it shows."""

    file: str
    alt: str
    png: bytes

    @property
    def data(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class SectionView:
    """What the page tells of one task."""

    label: str
    anchor: str
    notes: list[str]
    pictures: list[Picture]
    scores: list[tuple[str, Table]]
    runs: Table


@dataclass(frozen=True)
class Page:
    """Everything that the templates lay out."""

    source: str
    headline: str
    problems: Table
    summary: Table
    sections: list[SectionView]
    method: tuple[str, ...] = METHOD


def render_html(page: Page) -> str:
    """The page as one HTML file that needs nothing beside itself."""
    environment = _environment(autoescape=True)
    return environment.get_template("index.html.j2").render(page=page)


def render_markdown(page: Page) -> str:
    """The page as Markdown, with links to the pictures in ``plots/``."""
    environment = _environment(autoescape=False)
    environment.finalize = escape_markdown
    return environment.get_template("report.md.j2").render(page=page)


def escape_markdown(value: object) -> str:
    """Text on one line without meaning to Markdown or HTML; what is marked as safe stays."""
    if isinstance(value, Markup):
        return str(value)
    return re.sub(r"([\\`*_{}\[\]<>|~#&$!])", r"\\\1", " ".join(str(value).split()))


def slugs(labels: Iterable[str]) -> dict[str, str]:
    """A name of its own for each label's files and anchors: letters, digits and hyphens."""
    names: dict[str, str] = {}
    for label in labels:
        slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:60] or "unnamed"
        taken = set(names.values())
        numbered = (f"{slug}-{number}" for number in count(2))
        names[label] = slug if slug not in taken else next(n for n in numbered if n not in taken)
    return names


def headline(outcomes: pd.DataFrame) -> str:
    """How many runs there are, of what, and in which state."""
    states = outcomes["outcome"].value_counts()
    told = ", ".join(f"{number} {state}" for state, number in states.items())
    tasks, models = outcomes["section"].nunique(), outcomes["model"].nunique()
    return (
        f"{_plural(len(outcomes), 'run')} of {_plural(models, 'model')} "
        f"on {_plural(tasks, 'task')}: {told or 'none readable'}."
    )


def summary_view(
    summary: pd.DataFrame,
    lengths: pd.DataFrame,
    sections: Mapping[str, Section],
    anchors: Mapping[str, str],
) -> Table:
    """The main table: a row per task and model; ``anchors`` are those of the sections."""
    rows = []
    for row in summary.to_dict("records"):
        section = sections[row["section"]]
        tested = lengths[
            (lengths["section"] == row["section"]) & (lengths["label"] == row["label"])
        ]
        near = _longest_trained(tested, section)
        rows.append(
            [
                [Cell(row["section"], href=f"#{anchors[row['section']]}")],
                [Cell(row["label"])],
                [_runs(row)],
                [Cell(_event_share(row, "solved", section))],
                [_event_time(row, "solved", section)],
                [Cell(_event_share(row, "reached", section))],
                [_at_length(near, row, "wrong_bits")],
                [_at_length(tested.nlargest(1, "length"), row, "wrong_bits")],
                [_at_length(near, row, "loss_bits")],
                [Cell("" if pd.isna(row["parameters"]) else numbers.count(row["parameters"]))],
                [Cell(numbers.rate(row["sequences_per_second"]))],
            ]
        )
    header = [
        *("task", "model", "runs", "solved", "sequences to solve", "reached"),
        *("wrong bits, longest training length", "wrong bits, longest test length"),
        *("loss bits, longest training length", "parameters", "sequences per second"),
    ]
    return Table(header, rows)


def problems_view(problems: pd.DataFrame) -> Table:
    """Runs that are not finished and folders that can not be read, each with its reason."""
    rows = []
    for row in problems.to_dict("records"):
        progress = ""
        if row["outcome"] != "unreadable":
            progress = f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
        reason = row["error"] if isinstance(row["error"], str) else REASONS.get(row["outcome"], "")
        rows.append(
            [[Cell(row["run"])], [_state(row["outcome"])], [Cell(progress)], [Cell(reason)]]
        )
    return Table(["run", "state", "sequences", "reason"], rows)


def section_notes(section: Section) -> list[str]:
    """What must be known to read a section's numbers."""
    notes = [section.note] if section.note else []
    if section.validation is not None and not section.solvable:
        optimum = section.validation.optimum
        notes.append(
            "The best possible answer makes mistakes on this task, so solved and reached are not "
            f"defined. On the validation data the optimum is {numbers.bits(optimum.loss_bits)} "
            f"loss bits and {numbers.bits(optimum.wrong_bits)} wrong bits per sequence."
        )
    notes.extend(
        f"NTM paper, {result.source}: {result.model} {result.note} (read off a figure)."
        for result in section.paper
    )
    return notes


def scores_view(table: pd.DataFrame, score: str) -> Table:
    """A score of one section by test length: a row per model; chance or optimum last.

    ``table`` holds the section's rows of the lengths table.
    """
    lengths = sorted(table["length"].unique())
    rows = []
    for label, of_label in table.groupby("label"):
        by_length = of_label.set_index("length")
        evaluated = f"{by_length['evaluated'].min()} of {by_length['runs'].max()}"
        cells = [
            _median_and_range(by_length.loc[length], score)
            if length in by_length.index
            else Cell("not evaluated")
            for length in lengths
        ]
        rows.append([Cell(str(label)), Cell(evaluated), *cells])
    compare = {"wrong_bits": "chance", "loss_bits": "optimum"}
    if score in compare:
        name = compare[score]
        values = table.groupby("length")[f"{name}_{score}"].max()
        rows.append([Cell(name), Cell(""), *(Cell(numbers.bits(values[at])) for at in lengths)])
    header = ["model", "evaluated", *(numbers.count(length) for length in lengths)]
    return Table(header, [[[cell] for cell in row] for row in rows])


def runs_view(outcomes: pd.DataFrame, report: Path) -> Table:
    """A row per run of a section, with links to its folder and its pictures.

    ``outcomes`` holds the section's rows of the table of runs.
    """
    rows = []
    for row in outcomes.to_dict("records"):
        folder = Path(row["folder"])
        pictures = [
            Cell(name.replace("_", " "), href=_link(folder / "plots" / f"{name}.png", report))
            for name in RUN_PICTURES
            if (folder / "plots" / f"{name}.png").exists()
        ]
        progress = f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
        rows.append(
            [
                [Cell(row["run"], href=_link(folder, report))],
                [Cell(row["label"])],
                [Cell(str(row["seed"]))],
                [_state(row["outcome"])],
                [Cell(progress)],
                [Cell(_time_text(row["reached_at"]))],
                [Cell(_time_text(row["solved_at"]))],
                [Cell(numbers.rate(row["sequences_per_second"]))],
                [Cell(row["device"] if isinstance(row["device"], str) else "")],
                pictures,
            ]
        )
    header = [
        *("run", "model", "seed", "state", "sequences", "reached at", "solved at"),
        *("sequences per second", "device", "pictures"),
    ]
    return Table(header, rows)


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("ntmbench.report", ""),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _state(outcome: str) -> Cell:
    return Cell(outcome, kind=f"state {outcome}")


def _runs(row: Row) -> Cell:
    states = ("running", "interrupted", "failed", "diverged")
    told = ", ".join(f"{row[state]} {state}" for state in states if row[state])
    return Cell(str(row["runs"]), note=told)


def _event_share(row: Row, event: str, section: Section) -> str:
    return f"{row[event]} of {row['runs']}" if section.solvable else "not defined"


def _event_time(row: Row, event: str, section: Section) -> Cell:
    if not section.solvable:
        return Cell("not defined")
    unfinished = bool(row["running"]) or bool(row["interrupted"])
    middle, low, high = (
        numbers.sequences(row[f"sequences_to_{event}_{part}"], row["budget"], unfinished=unfinished)
        for part in ("median", "q1", "q3")
    )
    return Cell(middle, note=_range(middle, low, high))


def _longest_trained(tested: pd.DataFrame, section: Section) -> pd.DataFrame:
    """The row of the longest test length that is not beyond training; the shortest if all are."""
    if section.lengths is not None:
        within = tested[tested["length"] <= section.lengths[1]]
        if len(within):
            return within.nlargest(1, "length")
    return tested.nsmallest(1, "length")


def _at_length(tested: pd.DataFrame, row: Row, score: str) -> Cell:
    if tested.empty:
        return Cell("not evaluated")
    at = tested.iloc[0]
    notes = [_range(*_three(at, score))]
    if score == "loss_bits" and at["optimum_loss_bits"] > 0:
        notes.append(f"optimum {numbers.bits(at['optimum_loss_bits'])}")
    if at["evaluated"] < at["runs"]:
        notes.append(f"{at['evaluated']} of {row['runs']} evaluated")
    text = f"{_three(at, score)[0]} at {numbers.count(at['length'])}"
    return Cell(text, note=";\n".join(note for note in notes if note))


def _median_and_range(row: pd.Series[float], score: str) -> Cell:
    middle, low, high = _three(row, score)
    return Cell(middle, note=_range(middle, low, high))


def _three(row: pd.Series[float], score: str) -> tuple[str, str, str]:
    """The median, the least and the greatest of a score, as text."""
    write = numbers.share if score == "exact_match" else numbers.bits
    middle, low, high = (write(row[f"{score}_{part}"]) for part in ("median", "min", "max"))
    return middle, low, high


def _range(middle: str, low: str, high: str) -> str:
    """``low to high``, or nothing where all are alike."""
    return "" if low == middle == high else f"{low} to {high}"


def _time_text(value: float) -> str:
    if math.isnan(value):
        return "not defined"
    return "no" if math.isinf(value) else numbers.count(value)


def _link(target: Path, report: Path) -> str:
    """A relative link from the report's folder, so that both can be moved together."""
    return quote(Path(os.path.relpath(target, report)).as_posix())

"""The report as people read it: the tables' numbers as text, and two templates that lay them out.

Everything that comes from a run (names, settings, errors) is escaped by the templates'
environments, for HTML and for Markdown.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ntmbench.report import numbers
from ntmbench.report.sections import Section
from ntmbench.report.statistics import SOLVED_BELOW

#: Pictures that a run draws of itself, in the order in which they are linked.
RUN_PICTURES = ("learning_curve", "generalisation", "example", "memory")


@dataclass(frozen=True)
class Cell:
    """A cell of a table, or a link in one; ``kind`` is a class for the style sheet."""

    text: str
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
    unfinished: int
    summary: Table
    sections: list[SectionView]
    solved_below: float = SOLVED_BELOW


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


def slug(text: str) -> str:
    """A name for a file or an anchor: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"


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
    summary: pd.DataFrame, lengths: pd.DataFrame, sections: Mapping[str, Section]
) -> Table:
    """The main table: a row per task and model."""
    rows = []
    for row in summary.to_dict("records"):
        section = sections[row["section"]]
        tested = lengths[
            (lengths["section"] == row["section"]) & (lengths["label"] == row["label"])
        ]
        near = _longest_trained(tested, section)
        rows.append(
            [
                [Cell(row["section"], f"#{slug(row['section'])}")],
                [Cell(row["label"])],
                [Cell(_runs_text(row))],
                [Cell(_event_share(row, "solved", section))],
                [Cell(_event_time(row, "solved", section))],
                [Cell(_event_share(row, "reached", section))],
                [Cell(_at_length(near, row, "wrong_bits"))],
                [Cell(_at_length(tested.nlargest(1, "length"), row, "wrong_bits"))],
                [Cell(_at_length(near, row, "loss_bits"))],
                [Cell("" if pd.isna(row["parameters"]) else numbers.count(row["parameters"]))],
                [Cell(numbers.bits(row["sequences_per_second"]))],
            ]
        )
    header = [
        *("task", "model", "runs", "solved", "sequences to solve", "reached"),
        *("wrong bits, longest training length", "wrong bits, longest test length"),
        *("loss bits, longest training length", "parameters", "sequences/s"),
    ]
    return Table(header, rows)


def problems_view(problems: pd.DataFrame) -> Table:
    """Runs that are not finished and folders that can not be read, each with its reason."""
    rows = []
    for row in problems.to_dict("records"):
        progress = ""
        if row["outcome"] != "unreadable":
            progress = f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
        reason = row["error"] if isinstance(row["error"], str) else ""
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
    for label, of_label in table.groupby("label", sort=False):
        by_length = of_label.set_index("length")
        evaluated = f"{by_length['evaluated'].min()} of {by_length['runs'].max()}"
        cells = [
            _median_and_range(by_length.loc[length], score) if length in by_length.index else ""
            for length in lengths
        ]
        rows.append([str(label), evaluated, *cells])
    compare = {"wrong_bits": ("chance", "chance_wrong_bits")}
    if score == "loss_bits":
        compare[score] = ("optimum", "optimum_loss_bits")
    if score in compare:
        name, column = compare[score]
        values = table.groupby("length")[column].max()
        rows.append([name, "", *(numbers.bits(values[length]) for length in lengths)])
    header = ["model", "runs evaluated", *(numbers.count(length) for length in lengths)]
    return Table(header, [[[Cell(text)] for text in row] for row in rows])


def runs_view(outcomes: pd.DataFrame, report: Path) -> Table:
    """A row per run of a section, with links to its folder and its pictures."""
    rows = []
    for row in outcomes.to_dict("records"):
        folder = Path(row["folder"])
        pictures = [
            Cell(name.replace("_", " "), _link(folder / "plots" / f"{name}.png", report))
            for name in RUN_PICTURES
            if (folder / "plots" / f"{name}.png").exists()
        ]
        rows.append(
            [
                [Cell(row["run"], _link(folder, report))],
                [Cell(row["label"])],
                [Cell(str(row["seed"]))],
                [_state(row["outcome"])],
                [
                    Cell(
                        f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
                    )
                ],
                [Cell(_time_text(row["reached_at"]))],
                [Cell(_time_text(row["solved_at"]))],
                [Cell(numbers.bits(row["sequences_per_second"]))],
                [Cell(row["device"] if isinstance(row["device"], str) else "")],
                pictures,
            ]
        )
    header = [
        *("run", "model", "seed", "state", "sequences", "reached at", "solved at"),
        *("sequences/s", "device", "pictures"),
    ]
    return Table(header, rows)


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("ntmbench.report"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _state(outcome: str) -> Cell:
    return Cell(outcome, kind=f"state {slug(outcome)}")


def _runs_text(row: Mapping[str, object]) -> str:
    states = ("running", "interrupted", "failed", "diverged")
    told = [f"{row[state]} {state}" for state in states if row[state]]
    return f"{row['runs']} ({', '.join(told)})" if told else str(row["runs"])


def _event_share(row: Mapping[str, object], event: str, section: Section) -> str:
    return f"{row[event]} of {row['runs']}" if section.solvable else "not defined"


def _event_time(row: Mapping[str, object], event: str, section: Section) -> str:
    if not section.solvable:
        return "not defined"
    unfinished = bool(row["running"]) or bool(row["interrupted"])
    middle, low, high = (
        numbers.sequences(
            _number(row[f"sequences_to_{event}_{part}"]),
            _number(row["budget"]),
            unfinished=unfinished,
        )
        for part in ("median", "q1", "q3")
    )
    return numbers.spread(middle, low, high)


def _number(value: object) -> float:
    return float(str(value))


def _longest_trained(tested: pd.DataFrame, section: Section) -> pd.DataFrame:
    """The row of the longest test length that is not beyond training; the shortest if all are."""
    if section.lengths is not None:
        within = tested[tested["length"] <= section.lengths[1]]
        if len(within):
            return within.nlargest(1, "length")
    return tested.nsmallest(1, "length")


def _at_length(tested: pd.DataFrame, row: Mapping[str, object], score: str) -> str:
    if tested.empty:
        return "not evaluated"
    at = tested.iloc[0]
    text = f"{_median_and_range(at, score)} at {numbers.count(at['length'])}"
    if score == "loss_bits" and at["optimum_loss_bits"] > 0:
        text += f", optimum {numbers.bits(at['optimum_loss_bits'])}"
    if at["evaluated"] < at["runs"]:
        text += f" [{at['evaluated']} of {row['runs']} evaluated]"
    return text


def _median_and_range(row: pd.Series[float], score: str) -> str:
    write = numbers.share if score == "exact_match" else numbers.bits
    return numbers.spread(*(write(row[f"{score}_{part}"]) for part in ("median", "min", "max")))


def _time_text(value: float) -> str:
    return "no" if value == float("inf") else numbers.count(value)


def _link(target: Path, report: Path) -> str:
    """A relative link from the report's folder, so that both can be moved together."""
    return quote(Path(os.path.relpath(target, report)).as_posix())


def inline_order(pictures: Sequence[Picture]) -> list[Picture]:
    """Pictures in the order given."""
    return list(pictures)

"""The report's other tables as text: each number with its range, never better than it is."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from ntmbench.report import numbers
from ntmbench.report.cells import (
    LAST,
    count_cell,
    halves,
    joined,
    plural,
    rank_of,
    sequences_texts,
    signed_bits,
    value_range,
)
from ntmbench.report.controls import ControlCheck
from ntmbench.report.page import Cell, Table
from ntmbench.report.provenance import CHANGED, THEN, UNKNOWN
from ntmbench.report.reference import PAPER_PARAMETERS, Measure
from ntmbench.report.scorecard import COUNTS, RELATIVE
from ntmbench.report.sections import Section

#: A row of a table, by column.
Row = Mapping[Hashable, Any]

#: Of a state that tells no reason itself.
REASONS = {
    "running": "A process is at work on it.",
    "interrupted": "No process is at work on it; the command that started it resumes it.",
}


def problems_view(problems: pd.DataFrame) -> Table:
    """Runs that are not finished and folders that can not be read, each with its reason."""
    rows = []
    for row in problems.to_dict("records"):
        progress = ""
        if row["outcome"] != "unreadable":
            progress = f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
        reason = row["error"] if isinstance(row["error"], str) else REASONS.get(row["outcome"], "")
        rows.append([Cell(row["run"]), _state(row["outcome"]), Cell(progress), Cell(reason)])
    return Table(["run", "state", "sequences", "reason"], rows)


def controls_view(checks: Sequence[ControlCheck]) -> Table:
    """A row per task, a column per control."""
    names = list(dict.fromkeys(check.control for check in checks))
    of_sections: dict[str, dict[str, ControlCheck]] = {}
    for check in checks:
        of_sections.setdefault(check.section, {})[check.control] = check
    rows = [
        [
            Cell(section),
            *(
                Cell(
                    by_name[name].verdict,
                    note=by_name[name].text,
                    kind="bad" if by_name[name].failed else "",
                )
                for name in names
            ),
        ]
        for section, by_name in of_sections.items()
    ]
    return Table(["task", *names], rows)


def scorecard_view(scorecard: pd.DataFrame) -> Table:
    """The literature's figures beside the runs'."""
    rows = []
    for row in scorecard.to_dict("records"):
        measure = Measure(row["measure"])
        what = row["measure"]
        if not pd.isna(row["length"]):
            what += f" at {row['length']}"
        relative = measure in RELATIVE
        tolerance = f"± {row['tolerance']:.0%}" if relative else f"± {row['tolerance']:g} bits"
        rows.append(
            [
                Cell(row["task"]),
                Cell(row["label"]),
                Cell(what),
                _figure(measure, row),
                Cell(row["says"], note=row["source"]),
                Cell(tolerance if row["tolerance"] else "none"),
                Cell(row["verdict"], kind=_verdict_kind(row["verdict"])),
            ]
        )
    header = ["task", "model", "figure", "here", "literature", "tolerance", "verdict"]
    # Sequences, bits and milliseconds.
    return Table(header, rows, sortable=True, unsorted=("here", "literature", "tolerance"))


def costs_view(summary: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]]) -> Table:
    """Speed and parameters of every model on every task; ``settings`` by ``setting``."""
    rows = []
    for row in summary[~summary["control"].astype(bool)].to_dict("records"):
        identity = settings[row["setting"]]
        of_paper = PAPER_PARAMETERS.get(row["task"], {})
        paper = of_paper.get((row["model"], identity["model"].get("controller")))
        rate = row["sequences_per_second"]
        rows.append(
            [
                Cell(row["section"]),
                Cell(row["label"]),
                count_cell(row["parameters"]),
                count_cell(math.nan if paper is None else paper),
                _trained(row),
                count_cell(identity["train"].get("batch_size", math.nan)),
                Cell(numbers.rate(rate), rank=rank_of(rate)),
                Cell(numbers.duration(row["train_seconds"]), rank=rank_of(row["train_seconds"])),
                Cell(row["devices"]),
            ]
        )
    header = ["task", "model", "parameters", "in the paper", "training sequences", "batch size"]
    header += ["sequences per second", "training time", "device"]
    return Table(header, rows, sortable=True)


def lengths_view(table: pd.DataFrame, score: str) -> Table:
    """A score of one section by test length: a row per model; chance or optimum last."""
    lengths = sorted(table["length"].unique())
    rows = []
    for label, of_label in table.groupby("label", sort=False):
        by_length = of_label.set_index("length")
        evaluated = f"{by_length['evaluated'].min()} of {by_length['runs'].max()}"
        cells = [
            _median_and_range(by_length.loc[length], score)
            if length in by_length.index
            else Cell("not tested")
            for length in lengths
        ]
        rows.append([Cell(str(label)), Cell(evaluated), *cells])
    compare = {"errors": "chance", "loss_bits": "optimum"}
    if score in compare:
        name = compare[score]
        values = table.groupby("length")[f"{name}_{score}"].max()
        rows.append([Cell(name), Cell(""), *(Cell(numbers.bits(values[at])) for at in lengths)])
    header = ["model", "tested", *(numbers.count(length) for length in lengths)]
    return Table(header, rows)


def variations_view(table: pd.DataFrame) -> Table:
    """The tests of one section that no length of the grid stands for."""
    rows = [
        [
            Cell(str(row["variation"])),
            Cell(row["label"]),
            Cell(str(row["evaluated"])),
            *(_median_and_range(row, score) for score in ("errors", "exact_match")),
            Cell(numbers.bits(row["chance_errors"])),
        ]
        for row in table.to_dict("records")
    ]
    header = ["variation", "model", "runs", "wrong bits", "exact", "chance, wrong bits"]
    return Table(header, rows)


def seeds_view(
    runs: pd.DataFrame, section: Section, report: Path, commands: Mapping[int, str]
) -> Table:
    """A row per run of a group: its figures, its folder, and the command that repeats it.

    ``commands`` are by seed; there may be none.
    """
    rows = []
    for row in runs.sort_values("seed").to_dict("records"):
        folder = Path(row["folder"])
        progress = f"{numbers.count(row['trained'])} of {numbers.count(row['train_sequences'])}"
        cells = [
            Cell(str(row["seed"]), rank=row["seed"]),
            Cell(row["outcome"], note=progress, kind=f"state {row['outcome']}"),
        ]
        if section.solvable:
            cells += [
                Cell(_time(row["reached_at"]), rank=rank_of(row["reached_at"])),
                Cell(_time(row["solved_at"]), rank=rank_of(row["solved_at"])),
                *(_length(row[name]) for name in ("effective_90", "effective_99")),
            ]
        cells += [
            Cell(numbers.bits(row[name]) or "not tested", rank=rank_of(row[name]))
            for name in ("errors", "loss_over_optimum")
        ]
        cells.append(
            Cell(row["run"], href=_link(folder, report), code=commands.get(row["seed"], ""))
        )
        rows.append(cells)
    when = ["reached at", "solved at", "90% exact to", "99% exact to"] if section.solvable else []
    header = ["seed", "state", *when, "wrong bits", "loss over optimum", "folder and command"]
    return Table(header, rows)


def provenance_view(table: pd.DataFrame) -> Table:
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


def _state(outcome: str) -> Cell:
    return Cell(outcome, kind=f"state {outcome}")


def _median_and_range(row: Any, score: str) -> Cell:
    write = numbers.share if score == "exact_match" else numbers.bits
    middle, low, high = (write(row[f"{score}_{part}"]) for part in ("median", "min", "max"))
    notes = [value_range(middle, low, high)]
    if score == "errors" and 0 < row["at_zero"] < row["evaluated"]:
        notes.append(f"{row['at_zero']} of {row['evaluated']} at zero")
    return Cell(middle, joined(*notes))


def _trained(row: Row) -> Cell:
    """The budget, and what of it the runs have used, in the median."""
    cell = count_cell(row["budget"])
    early = row["trained"] < row["budget"]
    return replace(cell, note=f"used: {numbers.count(row['trained'])}") if early else cell


def _figure(measure: Measure, row: Row) -> Cell:
    """The runs' own figure, and of how many runs it is."""
    value, low, high = (row[name] for name in ("ours", "ours_low", "ours_high"))
    if math.isnan(value):
        return Cell("", rank=LAST)
    if measure in COUNTS:
        text, spread = sequences_texts(
            value, low, high, row["budget"], unfinished=not row["finished"]
        )
        spread = joined(spread, halves(row["half_by"], row["half_from"]))
    else:
        text = signed_bits(value)
        several = row["tested"] > 1
        spread = value_range(text, signed_bits(low), signed_bits(high)) if several else ""
    runs = f"{plural(int(row['runs']), 'run')} of {numbers.count(row['budget'])} sequences"
    some = row["tested"] < row["runs"]
    tested = f"{row['tested']} of {row['runs']} tested" if some else ""
    return Cell(text, joined(spread, runs, tested), rank=value)


def _verdict_kind(verdict: str) -> str:
    """``not measured -> verdict not-measured``, for the style sheet."""
    return f"verdict {verdict.partition(' (')[0].replace(' ', '-')}"


def _length(value: float) -> Cell:
    return Cell("not tested", rank=LAST) if math.isnan(value) else Cell(f"{value:,.0f}", rank=value)


def _time(value: float) -> str:
    return "no" if math.isinf(value) else numbers.count(value)


def _link(target: Path, report: Path) -> str:
    """A relative link from the report's folder, so that both can be moved together.

    There is none where nothing lies there: runs may have come without their folders.
    """
    if not target.is_dir():
        return ""
    return quote(Path(os.path.relpath(target, report)).as_posix())

"""README's tables of results are those of the reference reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ntmbench.report.cells import signed_bits

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results" / "reference"
TABLES = REFERENCE / "report" / "tables"
ABLATIONS = REFERENCE / "ablations" / "report"

# As README names them, and as the report does.
TASKS = {
    "copy": "copy",
    "repeat copy": "repeat_copy",
    "recall": "recall",
    "n-grams": "ngrams",
    "priority sort": "priority_sort",
    "sorting": "sorting",
}
MODELS = {
    "NTM": "ntm (controller=lstm)",
    "NTM, feedforward": "ntm (controller=feedforward)",
    "LSTM": "lstm",
    "encoder-decoder": "seq2seq",
}


def table(beginning: str) -> list[list[str]]:
    """The cells of README's table that begins so, its header first."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (first,) = (number for number, line in enumerate(lines) if line.startswith(beginning))
    header, _, *rows = lines[first : lines.index("", first)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (header, *rows)]


def figure(row: dict[Any, Any]) -> str:
    """``0.004 (0 to 0.015) [10]``: estimate, interval, and seeds."""
    score = "loss_over_optimum" if row["task"] == "ngrams" else "errors"
    middle, low, high = (signed_bits(row[f"{score}{part}"]) for part in ("", "_low", "_high"))
    interval = "" if low == middle == high else f" ({low} to {high})"
    return f"{middle}{interval} [{row['evaluated']}]"


@pytest.mark.parametrize("task", TASKS)
def test_the_table_of_results_is_the_reports(task: str) -> None:
    summary = pd.read_csv(TABLES / "summary.csv")
    of_task = summary[summary["task"] == TASKS[task]]
    found = {row["label"]: figure(row) for row in of_task.to_dict("records")}
    header, *rows = table("| task | trained")
    (said,) = (dict(zip(header, row, strict=True)) for row in rows if row[0] == task)
    for column, label in MODELS.items():
        possible = (task, column) != ("n-grams", "encoder-decoder")
        assert said[column] == (found[label] if possible else "can not"), column
    lengths = pd.read_csv(TABLES / "lengths.csv")
    at_length = lengths[
        (lengths["section"] == of_task["section"].iloc[0])
        & (lengths["length"] == of_task["length"].max())
    ]
    chance = at_length["chance_errors"].max()
    assert said["chance"] == ("" if task == "n-grams" else f"{chance:.0f}")


def changed(label: str) -> str:
    """What a label of the report changes in the recipe, as README names it."""
    settings = label.removeprefix("ntm").strip(" ()").replace("train.", "")
    return f"`{settings}`" if settings else "nothing"


def ablations_on_copy() -> dict[str, list[str]]:
    """Solved, sequences to solve, and 99% exact to length, by what is changed in the recipe."""
    rows = [
        [cell.strip().replace("\\", "") for cell in line.strip("|").split("|")]
        for line in (ABLATIONS / "report.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| copy (at length 20) |")
    ]
    return {changed(row[1]): [row[3], row[6], row[5]] for row in rows}


def ablations_on(task: str) -> dict[str, list[str]]:
    """The score of the main table, by what is changed in the recipe."""
    summary = pd.read_csv(ABLATIONS / "tables" / "summary.csv")
    of_task = summary[summary["task"] == task].to_dict("records")
    return {changed(row["label"]): [figure(row)] for row in of_task}


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        ("| changed in the recipe |", ablations_on_copy()),
        ("| changed in the recipe of n-grams", ablations_on("ngrams")),
        ("| what fills the memory of priority sort", ablations_on("priority_sort")),
    ],
)
def test_the_tables_of_ablations_are_the_reports(
    beginning: str, found: dict[str, list[str]]
) -> None:
    _, *rows = table(beginning)
    assert len(rows) > 2
    for name, *cells in rows:
        assert cells == found[name.removesuffix(" (the recipe)")], name


def test_the_figures_over_all_tasks_are_the_reports() -> None:
    shares = pd.read_csv(TABLES / "overall.csv").set_index("label")["share"]
    ours, theirs = shares[MODELS["NTM"]], shares[MODELS["LSTM"]]
    told = f"leaves {100 * ours:.1f} % of chance's wrong bits, the LSTM {100 * theirs:.0f} %"
    assert told in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())

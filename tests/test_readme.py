"""README's tables of results are those of the reference reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ntmbench.report.cells import signed_bits

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "results" / "reference" / "report" / "tables"

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


def table() -> dict[str, dict[str, str]]:
    """The rows of README's table of results by task."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (first,) = (number for number, line in enumerate(lines) if line.startswith("| task | trained"))
    header, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[first : lines.index("", first)]
    )
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}


def figure(row: dict[Any, Any]) -> str:
    """``0.004 (0 to 0.015) [10]``: estimate, interval, and seeds."""
    score = "loss_over_optimum" if row["task"] == "ngrams" else "wrong_bits"
    middle, low, high = (signed_bits(row[f"{score}{part}"]) for part in ("", "_low", "_high"))
    interval = "" if low == middle == high else f" ({low} to {high})"
    return f"{middle}{interval} [{row['evaluated']}]"


@pytest.mark.parametrize("task", TASKS)
def test_the_table_of_results_is_the_reports(task: str) -> None:
    summary = pd.read_csv(TABLES / "summary.csv")
    of_task = summary[summary["task"] == TASKS[task]]
    found = {row["label"]: figure(row) for row in of_task.to_dict("records")}
    said = table()[task]
    for column, label in MODELS.items():
        possible = (task, column) != ("n-grams", "encoder-decoder")
        assert said[column] == (found[label] if possible else "can not"), column
    lengths = pd.read_csv(TABLES / "lengths.csv")
    at_length = lengths[
        (lengths["section"] == of_task["section"].iloc[0])
        & (lengths["length"] == of_task["length"].max())
    ]
    chance = at_length["chance_wrong_bits"].max()
    assert said["chance"] == ("" if task == "n-grams" else f"{chance:.0f}")


def ablations() -> dict[str, list[str]]:
    """The cells of the ablation report's main table on copy, by what is changed in the recipe."""
    report = ROOT / "results" / "reference" / "ablations" / "report" / "report.md"
    rows = [
        [cell.strip().replace("\\", "") for cell in line.strip("|").split("|")]
        for line in report.read_text(encoding="utf-8").splitlines()
        if line.startswith("| copy (at length 20) |")
    ]
    # What was changed, solved, sequences to solve, 99% exact to length.
    return {
        row[1].removeprefix("ntm").strip(" ()").replace("train.", ""): [row[3], row[6], row[5]]
        for row in rows
    }


def test_the_table_of_ablations_is_the_reports() -> None:
    found = ablations()
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (first,) = (number for number, line in enumerate(lines) if line.startswith("| changed in"))
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[first + 2 : lines.index("", first)]
    ]
    assert rows
    for changed, *cells in rows:
        assert cells == found[changed.strip("`").replace("nothing", "")], changed

"""README's tables of results are those of the reference reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ntmbench.report.page.cells import signed_bits
from ntmbench.statistics.paired import smallest_p

ROOT = Path(__file__).parents[2]
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


def prose() -> str:
    """README on one line."""
    return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


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
        assert said[column] == (found[label] if possible else "cannot"), column
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
    assert told in prose()


def solved_at(folder: Path, task: str, label: str) -> list[float]:
    """When each seed had solved its task, in order."""
    runs = pd.read_csv(folder / "runs.csv")
    of_label = runs[(runs["task"] == task) & (runs["label"] == label)]
    return sorted(of_label["solved_at"])


def sides(folder: Path, task: str, label: str) -> tuple[str, str]:
    """The two seeds in the middle of ten: no seed is between them."""
    times = solved_at(folder, task, label)
    assert len(times) == 10
    return f"{times[4]:,.0f}", f"{times[5]:,.0f}"


def test_medians_where_no_seed_is_are_told_by_their_two_sides() -> None:
    by, since = sides(TABLES, "copy", MODELS["NTM"])
    last = solved_at(TABLES, "copy", MODELS["NTM"])[-1]
    assert f"Five seeds have solved copy by {by} sequences" in prose()
    assert f"at {since} to {last:,.0f}. A run" in prose()
    by, since = sides(TABLES, "recall", MODELS["NTM, feedforward"])
    (median,) = set(sides(TABLES, "recall", MODELS["NTM"]))
    told = f"by {by} sequences and half from {since}, against a median of {median}"
    assert told in prose()
    by, since = sides(TABLES, "repeat_copy", MODELS["NTM"])
    assert f"by {by} sequences, and the others come from {since} on" in prose()
    ablations = ABLATIONS / "tables"
    for told, labels in {
        "with `clip_norm` 0 or 50 these are {} and {}": ("clip_norm=0.0", "clip_norm=50.0"),
        "with `clip_value` {} and {}": (
            "clip_norm=0.0, train.clip_value=1.0",
            "clip_norm=0.0, train.clip_value=10.0",
        ),
        "with Adam at 0.003 {} and {}": ("optimizer=adam, train.learning_rate=0.003",),
    }.items():
        for label in labels:
            assert told.format(*sides(ablations, "copy", f"ntm (train.{label})")) in prose()


def test_p_values_are_the_reports_and_say_where_they_could_not_be_less() -> None:
    pairs = pd.read_csv(TABLES / "comparisons.csv")
    against = pairs[(pairs["first"] == MODELS["NTM"]) & (pairs["second"] == MODELS["LSTM"])]
    assert len(against) == len(TASKS)
    low, high = against["p_holm"].min(), against["p_holm"].max()
    assert f"(p = {low:.3f} to {high:.3f} after Holm's correction)" in prose()
    assert set(against["p"]) == {smallest_p(8)}
    assert f"each is {smallest_p(8):.4f}, the least that 8 pairs of seeds can give" in prose()
    ablations = pd.read_csv(ABLATIONS / "tables" / "comparisons.csv")
    adjusted = {name: list(rows["p_holm"]) for name, rows in ablations.groupby("section")}
    slots, fewer, _ = adjusted["ngrams"]
    assert f"(p = {slots:.3f} and {fewer:.3f} after Holm's correction; {fewer:.3f} is" in prose()
    least = 3 * smallest_p(8)
    (found,) = set(adjusted["priority_sort"])
    assert found == fewer == least
    assert f"All three differ (p = {found:.3f} after Holm's correction, the least" in prose()

"""README and the findings are true: figures are the reports', and what is named is there."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ntmbench import registry
from ntmbench.report.page.blocks import Text
from ntmbench.report.page.cells import signed_score
from ntmbench.report.sections.findings import blocks_of
from ntmbench.statistics.paired import smallest_p

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
REFERENCE = ROOT / "results" / "reference"
FINDINGS = REFERENCE / "findings.md"
TABLES = REFERENCE / "report" / "tables"
TARGETS = REFERENCE / "targets.md"
ABLATIONS = REFERENCE / "ablations" / "report"
SORTS = REFERENCE / "ablations_sorts" / "report"

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
    "NTM, LSTM": "ntm (controller=lstm)",
    "NTM, feedforward": "ntm (controller=feedforward)",
    "LSTM": "lstm",
    "encoder-decoder": "seq2seq",
}
OURS, FEEDFORWARD = MODELS["NTM, LSTM"], MODELS["NTM, feedforward"]


def read(path: Path) -> pd.DataFrame:
    """A table of a report; older reports, which know only bits, call errors wrong bits."""
    table = pd.read_csv(path)
    return table.rename(columns=lambda name: name.replace("wrong_bits", "errors"))


def prose(page: Path = FINDINGS) -> str:
    """A page on one line."""
    return " ".join(page.read_text(encoding="utf-8").split())


def table(page: Path, beginning: str) -> list[list[str]]:
    """The cells of a page's table that begins so, its header first."""
    lines = page.read_text(encoding="utf-8").splitlines()
    (first,) = (number for number, line in enumerate(lines) if line.startswith(beginning))
    header, _, *rows = lines[first : lines.index("", first)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (header, *rows)]


def figure(row: dict[Any, Any]) -> str:
    """``0.004 (0 to 0.015) [10]``: estimate, interval, and seeds."""
    score = "loss_over_optimum" if row["task"] == "ngrams" else "errors"
    middle, low, high = (signed_score(row[f"{score}{part}"]) for part in ("", "_low", "_high"))
    interval = "" if low == middle == high else f" ({low} to {high})"
    return f"{middle}{interval} [{row['evaluated']}]"


@pytest.mark.parametrize("task", TASKS)
def test_the_table_of_results_is_the_reports(task: str) -> None:
    summary = read(TABLES / "summary.csv")
    of_task = summary[summary["task"] == TASKS[task]]
    found = {row["label"]: figure(row) for row in of_task.to_dict("records")}
    header, *rows = table(README, "| task | trained")
    (said,) = (dict(zip(header, row, strict=True)) for row in rows if row[0] == task)
    for column, label in MODELS.items():
        possible = (task, column) != ("n-grams", "encoder-decoder")
        assert said[column] == (found[label] if possible else "cannot"), column
    lengths = read(TABLES / "lengths.csv")
    at_length = lengths[
        (lengths["section"] == of_task["section"].iloc[0])
        & (lengths["length"] == of_task["length"].max())
    ]
    chance = at_length["chance_errors"].max()
    assert said["chance"] == ("" if task == "n-grams" else f"{chance:.0f}")


def test_the_report_has_the_findings_of_today() -> None:
    report = " ".join((TABLES.parent / "report.md").read_text(encoding="utf-8").split())
    told = [
        block.text
        for block in blocks_of(FINDINGS.read_text(encoding="utf-8"))
        if isinstance(block, Text)
    ]
    assert len(told) > 20
    for paragraph in told:
        assert paragraph in report.replace("\\", "")


def test_what_was_reached_is_the_reports() -> None:
    lengths = read(TABLES / "lengths.csv")
    page = prose(TARGETS)
    for task, length, told in [
        ("priority_sort", 20, "median {median:.1f} ({min:.1f} to {max:.1f}), under 1"),
        ("priority_sort", 25, "25 in: median {median:.1f}, under 10 on 9, {max:.0f} on the"),
        ("repeat_copy", 20, "median {median:.0f} ({min:.1f} to {max:.0f}); 10 x 20"),
        ("sorting", 30, "median {median:.2f} at 30"),
        ("sorting", 20, "zero on none: {min:.3f} to {max:.2f}, 94"),
    ]:
        (row,) = lengths[
            (lengths["section"] == task)
            & (lengths["length"] == length)
            & (lengths["label"] == OURS)
        ].to_dict("records")
        figures = {name: row[f"errors_{name}"] for name in ("median", "min", "max")}
        assert told.format(**figures) in page, task
    copy = at_zero("copy", FEEDFORWARD)
    told = f"zero at 20 on {copy[20]}, at 30 to 120 on {copy[120]}, at 1,000 on {copy[1000]} ("
    assert told in page
    (solved,) = set(sides(TABLES, "copy", FEEDFORWARD))
    assert f"solved on 10, by one attempt, median {solved};" in page
    recall, repeat = at_zero("recall", OURS), at_zero("repeat_copy", OURS)
    assert f"zero on {recall[6]}, {recall[12]} and {recall[20]}, at most" in page
    assert f"10 x 10: zero on {repeat[10]}, at most" in page


def changed(label: str, *, row_heads: bool = False) -> str:
    """What a label of the report changes in the recipe, as README names it.

    The report's labels tell ``row_heads=1``, which a recipe may have.
    """
    settings = label.removeprefix("ntm").strip(" ()").replace("train.", "")
    names = [name for name in settings.split(", ") if name]
    if row_heads:
        kept = [name for name in names if name != "row_heads=1"]
        names = kept if len(kept) < len(names) else [*names, "row_heads=0"]
    return f"`{', '.join(names)}`" if names else "nothing"


def ablations_on_copy() -> dict[str, list[str]]:
    """Solved, sequences to solve, and 99% exact to length, by what is changed in the recipe."""
    rows = [
        [cell.strip().replace("\\", "") for cell in line.strip("|").split("|")]
        for line in (ABLATIONS / "report.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| copy (at length 20) |")
    ]
    return {changed(row[1], row_heads=True): [row[3], row[6], row[5]] for row in rows}


#: How the report names what is changed in the recipes of both sorts, of which it tells the settings
#: that differ anywhere.
OF_SORTS = {
    "sorting": {
        "nothing": "ntm (input_gain=10.0, key_size=8, shared_heads=true)",
        "`shared_heads=false`": "ntm (input_gain=10.0, key_size=8)",
        "`batch_size=16, learning_rate=0.001`": (
            "ntm (input_gain=10.0, key_size=8, shared_heads=true, train.batch_size=16)"
        ),
        "`key_size=0`": "ntm (input_gain=10.0, shared_heads=true)",
        "`input_gain=1.0`": "ntm (key_size=8, shared_heads=true)",
        "`initial_memory=learned`": (
            "ntm (input_gain=10.0, key_size=8, shared_heads=true, initial_memory=learned)"
        ),
    },
    "priority_sort": {
        "nothing": "ntm (row_heads=1)",
        "`row_heads=0`": "ntm",
        "`initial_memory=code`": "ntm (row_heads=1, initial_memory=code)",
        "`read_heads=1`": "ntm (read_heads=1, row_heads=1)",
        "`shift_width=3`": "ntm (row_heads=1, shift_width=3)",
    },
}


def figures_of(folder: Path, task: str) -> dict[str, list[str]]:
    """The scores of a report's main table, by the labels of their models."""
    summary = read(folder / "tables" / "summary.csv")
    of_task = summary[summary["task"] == task].to_dict("records")
    return {row["label"]: [figure(row)] for row in of_task}


def ablations_on(task: str) -> dict[str, list[str]]:
    """The score of the main table, by what is changed in the recipe."""
    if task in OF_SORTS:
        found = figures_of(SORTS, task)
        assert set(found) == set(OF_SORTS[task].values())
        return {name: found[label] for name, label in OF_SORTS[task].items()}
    return {changed(label): cells for label, cells in figures_of(ABLATIONS, task).items()}


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        ("| changed in the recipe |", ablations_on_copy()),
        ("| changed in the recipe of n-grams", ablations_on("ngrams")),
        ("| changed in the recipe of sorting", ablations_on("sorting")),
        ("| changed in the recipe of priority sort", ablations_on("priority_sort")),
    ],
)
def test_the_tables_of_ablations_are_the_reports(
    beginning: str, found: dict[str, list[str]]
) -> None:
    _, *rows = table(FINDINGS, beginning)
    assert len(rows) > 2
    for name, *cells in rows:
        assert cells == found[name.removesuffix(" (the recipe)")], name


def test_the_figures_over_all_tasks_are_the_reports() -> None:
    shares = read(TABLES / "overall.csv").set_index("label")["share"]
    ours, theirs = shares[OURS], shares[MODELS["LSTM"]]
    told = f"leaves {100 * ours:.1f} % of chance's wrong bits, the LSTM {100 * theirs:.0f} %"
    assert told in prose()


def solved_at(folder: Path, task: str, label: str) -> list[float]:
    """When each seed had solved its task, in order."""
    runs = read(folder / "runs.csv")
    of_label = runs[(runs["task"] == task) & (runs["label"] == label)]
    return sorted(of_label["solved_at"])


def sides(folder: Path, task: str, label: str) -> tuple[str, str]:
    """The times of the two middle seeds of ten, between which no seed is."""
    times = solved_at(folder, task, label)
    assert len(times) == 10
    return f"{times[4]:,.0f}", f"{times[5]:,.0f}"


def test_medians_where_no_seed_is_are_told_by_their_two_sides() -> None:
    copy = solved_at(TABLES, "copy", FEEDFORWARD)
    assert f"solved copy by {copy[9]:,.0f} sequences on all ten seeds" in prose()
    ours = solved_at(TABLES, "copy", OURS)
    assert f"nine of ten seeds solve it, five of them by {ours[4]:,.0f} sequences" in prose()
    assert (len(ours), math.isfinite(ours[8]), math.isinf(ours[9])) == (10, True, True)
    (early,) = set(sides(TABLES, "recall", FEEDFORWARD))
    (median,) = set(sides(TABLES, "recall", OURS))
    assert f"half of the seeds by {early} sequences, against a median of {median}" in prose()


def test_p_values_are_the_reports_and_say_where_they_could_not_be_less() -> None:
    pairs = read(TABLES / "comparisons.csv")
    against = pairs[(pairs["first"] == OURS) & (pairs["second"] == MODELS["LSTM"])]
    assert len(against) == len(TASKS)
    low, high = against["p_holm"].min(), against["p_holm"].max()
    assert f"(p = {low:.3f} to {high:.3f} after Holm's correction)" in prose()
    assert set(against["p"]) == {smallest_p(8)}
    assert f"each is {smallest_p(8):.4f}, the least that 8 pairs of seeds can give" in prose()
    ablations = read(ABLATIONS / "tables" / "comparisons.csv")
    adjusted = {name: list(rows["p_holm"]) for name, rows in ablations.groupby("section")}
    low, high = min(adjusted["ngrams"]), max(adjusted["ngrams"])
    assert f"sure (p = {low:.2f} to {high:.2f} after Holm's correction): single" in prose()
    costs = ablations.loc[ablations["section"] == "ngrams", "difference"]
    told = "cost {:.1f} bits, 64 slots {:.1f}, and clipping at 10 costs {:.1f}."
    assert told.format(*-costs) in prose()
    sorts = read(SORTS / "tables" / "comparisons.csv")
    adjusted_of: dict[tuple[str, str, str], float] = {
        (row["section"], row["first"], row["second"]): row["p_holm"]
        for row in sorts.to_dict("records")
    }

    def of_pair(task: str, first: str, second: str) -> float:
        return adjusted_of[task, OF_SORTS[task][first], OF_SORTS[task][second]]

    shared = of_pair("sorting", "`shared_heads=false`", "nothing")
    small = of_pair("sorting", "nothing", "`batch_size=16, learning_rate=0.001`")
    rows = of_pair("priority_sort", "`row_heads=0`", "nothing")
    assert f"far off (p = {shared:.3f} after Holm's correction)" in prose()
    assert f"not surely so (p = {small:.3f})" in prose()
    assert f"machines select (p = {rows:.3f})" in prose()


def at_zero(task: str, label: str) -> dict[int, int]:
    """How many seeds of a model are without a wrong bit, by test length."""
    lengths = read(TABLES / "lengths.csv")
    ours = lengths[(lengths["section"] == task) & (lengths["label"] == label)]
    assert set(ours["evaluated"]) == {10}
    return dict(zip(ours["length"], ours["at_zero"], strict=True))


def test_seeds_without_a_wrong_bit_are_the_reports() -> None:
    recall = at_zero("recall", OURS)
    copy = at_zero("copy", FEEDFORWARD)
    assert copy == {10: 10, 20: 10, 30: 10, 50: 10, 120: 10, 1000: 9}
    told = "copies 10 to 120 vectors without a wrong bit on 10 of 10 seeds, and 1,000 (with memory"
    assert f"{told} for them) on 9. The tenth has one wrong bit in 512 sequences" in prose()
    lengths = read(TABLES / "lengths.csv")
    last = lengths[(lengths["section"] == "copy") & (lengths["label"] == FEEDFORWARD)].iloc[-1]
    assert (last["length"], last["errors_max"] * last["sequences"]) == (1000, 1)
    copy = at_zero("copy", OURS)
    assert copy == {10: 10, 20: 7, 30: 10, 50: 10, 120: 6, 1000: 4}
    told = (
        "copy 30 and 50 vectors without a wrong bit on 10 of 10 seeds, 20 on 7, 120 on 6, and 1,000"
    )
    assert f"{told} on 4." in prose()
    told = "10 vectors 10 times without a wrong bit on {} of 10 seeds"
    assert told.format(at_zero("repeat_copy", OURS)[10]) in prose()
    told = (
        "from 6 items without a wrong bit on {} of 10 seeds, from 8 on {}, from 10 on {}, from 12 "
        "on {}, from 15 on {} and from 20 on {} ("
    )
    assert told.format(*(recall[length] for length in (6, 8, 10, 12, 15, 20))) in prose()


def test_what_the_campaign_took_is_the_reports() -> None:
    runs = read(TABLES / "runs.csv")
    hours = runs["wall_seconds"].sum() / 3600
    assert f"# {len(runs)} runs, {hours:.1f} hours of wall time in all" in README.read_text()
    walls = runs.loc[(runs["task"] == "copy") & (runs["label"] == FEEDFORWARD), "wall_seconds"]
    assert f"A run takes {walls.median():.0f} s in the median and up to" in prose()
    assert f"up to {walls.max():.0f} s, two or three side by side" in prose()


def test_speed_is_that_of_the_benchmark() -> None:
    bench = pd.read_csv(REFERENCE / "speed" / "bench.csv")
    steps = bench[bench["case"] == "copy-20"].set_index(["batch", "model"])
    _, *rows = table(FINDINGS, "| batch |")
    for batch, fused, *others in rows:
        of_batch = steps.loc[int(batch)]
        times, ratios = of_batch["ms_per_step"], of_batch["over_fused"]
        assert float(fused.removesuffix(" ms")) == pytest.approx(times["fused"], rel=0.02)
        for model, cell in zip(("eager", "peer"), others, strict=False):
            assert float(cell.split()[0]) == pytest.approx(times[model], rel=0.02)
            assert cell.endswith(f"({ratios[model]:.0f} x)")
        assert float(others[-1].removesuffix(" ms")) == pytest.approx(times["lstm"], rel=0.02)
    one, sixteen = (steps.loc[batch] for batch in (1, 16))
    times = [float(of_batch["ms_per_step"]["fused"]) for of_batch in (one, sixteen)]
    said = prose(README)
    assert f"{times[0]:.2f} ms at batch 1 and {times[1]:.1f} ms at batch 16" in said
    for model, told in {
        "eager": "takes {:.0f} and {:.0f} times as long",
        "peer": "`loudinthecloud/pytorch-ntm` {:.0f} and {:.0f} times",
    }.items():
        slower = [float(of_batch["over_fused"][model]) for of_batch in (one, sixteen)]
        assert told.format(*slower) in said


def test_all_tasks_are_listed_by_their_families() -> None:
    _, *rows = table(README, "| family |")
    told = {family: names.split(", ") for family, _, names in rows}
    known: dict[str, list[str]] = {}
    for name in registry.task_names():
        kind = registry.task_class(name)
        if kind.__module__.startswith("ntmbench.tasks."):  # others are the tests'
            known.setdefault(kind.family, []).append(name)
    assert told == known


def test_every_model_has_a_line() -> None:
    _, *rows = table(README, "| model | what it remembers with |")
    told = [name for names, *_ in rows for name in re.findall(r"`(\w+)`", names)]
    known = [
        name
        for name in registry.model_names()
        # Others are the tests', and `custom` stands for the user's.
        if registry.model_entry(name).settings.__module__.startswith("ntmbench.")
        and name != "custom"
    ]
    assert sorted(told) == sorted(known)


@pytest.mark.parametrize("page", [README, FINDINGS, TARGETS], ids=["README", "findings", "targets"])
def test_what_is_linked_or_named_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert len(linked) >= 4
    for link in linked:
        assert (page.parent / link).exists(), link
    for folder in re.findall(r"`((?:conf|tests|tasks|baselines|ntmbench)/[\w/.]*)`", text):
        made = {"tasks/reproduce/rotate.py", "baselines/recurrent/my_gru.py"}  # by the reader
        assert folder in made or (ROOT / folder).exists(), folder

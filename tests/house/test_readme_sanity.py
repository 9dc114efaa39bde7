"""The page of the sanity experiments shows what its runs hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ntmbench import load_results
from ntmbench.report.page.numbers import share
from ntmbench.runs.loading import rebuild_task
from tests.house.test_readme import REFERENCE, table

SANITY = REFERENCE / "sanity"
SEEDS = (0, 1, 2)

#: Settings that tell the models of a task apart, and what the page calls them.
APART: dict[str, dict[Any, str]] = {
    "negative_eigenvalues": {True: "with negative eigenvalues", False: "without"},
    "product": {2: "two steps", 1: "one step"},
    "masked_lookup": {True: "with its mends", False: "without"},
}


def measured() -> dict[tuple[str, str, int], tuple[str, str]]:
    """By task, model and length: what is right on the seeds, in per cent, rounded down.

    First the sequences without a mistake, then the answers; both in the order of the seeds.
    """
    results = load_results(SANITY)
    steps = results.positions.groupby(["run", "length"])["position"].nunique()
    apart = told_apart(results.settings)
    cells: dict[tuple[str, str, int], list[tuple[int, float, float]]] = {}
    for row in results.evaluation.to_dict("records"):
        model = ", ".join([f"`{row['model']}`", *apart[row["run"]]])
        task = rebuild_task(results.settings[row["run"]]["task"])
        answers = steps[row["run"], row["length"]] * task.answer.answers_per_step
        right = 1 - row["errors"] / answers
        key = (f"`{row['task']}`", model, row["length"])
        cells.setdefault(key, []).append((row["seed"], row["exact_match"], right))
    shown = {}
    for key, of_seeds in cells.items():
        seeds, exact, right = zip(*sorted(of_seeds), strict=True)
        assert seeds == SEEDS, key
        shown[key] = (percents(exact), percents(right))
    return shown


def told_apart(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """What tells a run from others of its task and model, by run."""
    values: dict[tuple[str, str, str], set[Any]] = {}
    for of_run in settings.values():
        for name in APART.keys() & of_run["model"].keys():
            kind = (of_run["task"]["name"], of_run["model"]["name"], name)
            values.setdefault(kind, set()).add(of_run["model"][name])
    return {
        run: [
            told[of_run["model"][name]]
            for name, told in APART.items()
            if len(values.get((of_run["task"]["name"], of_run["model"]["name"], name), ())) > 1
        ]
        for run, of_run in settings.items()
    }


def percents(shares: tuple[float, ...]) -> str:
    """``100, 99.8, 100``."""
    return ", ".join(share(value).removesuffix("%") for value in shares)


def test_the_table_of_sanity_is_the_runs() -> None:
    _, *told = table(SANITY / "README.md", "| task | model | length |")
    shown = {(task, model, int(length)): tuple(cells) for task, model, length, *cells in told}
    assert shown == measured()

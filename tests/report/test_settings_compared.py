"""Settings compared: the value that does best by validation data, where one setting differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ntmbench import make_task
from ntmbench.evaluation.levels import validation_levels
from ntmbench.report.page.blocks import Tabular
from ntmbench.report.sections.settings_compared import blocks, settings_compared, tables
from ntmbench.report.study.study import make_study
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate

#: What a constant loses on the validation data of such a run.
CONSTANT = validation_levels(make_task("copy"), 64).chance.loss_bits


def compared(results: Path) -> pd.DataFrame:
    return settings_compared(make_study(load_results(results), results))


def trained(
    results: Path,
    rate: float,
    *shares: float,
    task: str = "copy",
    model: str = "lstm",
    state: str = "finished",
    first_seed: int = 0,
    **train_settings: float,
) -> None:
    """A run for each share of what a constant loses on copy, which is about that of sorting."""
    for seed, share in enumerate(shares, first_seed):
        fabricate(
            results,
            task,
            model,
            seed,
            loss_bits=[20 * CONSTANT, CONSTANT * share],
            errors=[1, 1],
            state=state,
            train_settings={"learning_rate": rate, **train_settings},
        )


def test_the_best_value_has_the_least_mean_of_capped_shares(tmp_path: Path) -> None:
    for task, shares in {"copy": (0.5, 0.6, 0.05), "sorting": (0.8, 0.7, 9.0)}.items():
        for rate, share in zip((3e-4, 1e-3, 1e-2), shares, strict=True):
            trained(tmp_path, rate, share, task=task)
    table = compared(tmp_path)
    assert list(table["setting"].unique()) == ["train.learning_rate"]
    assert list(table["value"].unique()) == ["0.0003", "0.001", "0.01"]
    sorting = validation_levels(make_task("sorting"), 64).chance.loss_bits / CONSTANT
    of_copy = table[table["section"] == "copy"]
    assert list(of_copy["share"]) == pytest.approx([0.5, 0.6, 0.05])
    of_sorting = table[table["section"] == "sorting"]
    assert list(of_sorting["share"]) == pytest.approx([0.8 / sorting, 0.7 / sorting, 1.0])
    means = (of_copy["share"].to_numpy() + of_sorting["share"].to_numpy()) / 2
    assert list(of_copy["mean_share"]) == pytest.approx(list(means))
    assert list(table.loc[table["best"], "value"].unique()) == ["0.01"]


def test_seeds_count_by_their_median_and_a_diverged_run_as_a_constant(tmp_path: Path) -> None:
    trained(tmp_path, 1e-3, 0.9, 0.3, 0.2)
    trained(tmp_path, 1e-2, 0.3)
    trained(tmp_path, 1e-2, 0.1, state="diverged", first_seed=5)
    assert list(compared(tmp_path)["share"]) == pytest.approx([0.3, 0.65])


@pytest.mark.parametrize("state", ["running", "failed"])
def test_runs_that_have_not_ended_do_not_count(tmp_path: Path, state: str) -> None:
    trained(tmp_path, 1e-3, 0.3)
    trained(tmp_path, 1e-2, 0.4)
    trained(tmp_path, 1e-2, 0.1, state=state, first_seed=5)
    assert list(compared(tmp_path)["share"]) == pytest.approx([0.3, 0.4])


@pytest.mark.parametrize(("share", "best"), [(0.3, [True, True]), (1.0, [False, False])])
def test_equals_are_all_best_unless_none_beats_a_constant(
    tmp_path: Path, share: float, best: list[bool]
) -> None:
    trained(tmp_path, 1e-3, share)
    trained(tmp_path, 1e-2, share)
    assert list(compared(tmp_path)["best"]) == best


def test_it_is_shown_with_the_best_marked(tmp_path: Path) -> None:
    trained(tmp_path, 1e-3, 0.3)
    trained(tmp_path, 1e-2, 0.1)
    study = make_study(load_results(tmp_path), tmp_path)
    assert set(tables(study)) == {"settings_compared"}
    _, shown = blocks(study)
    assert isinstance(shown, Tabular)
    assert [tuple(cell.text for cell in row) for row in shown.table.rows] == [
        ("lstm", "train.learning_rate=0.001", "30%", "30%"),
        ("lstm", "train.learning_rate=0.01", "10%", "10%"),
    ]
    assert [row[-1].note for row in shown.table.rows] == ["", "best"]
    assert [row[1].rank for row in shown.table.rows] == [0, 1]


@pytest.mark.parametrize(
    "runs",
    [
        [{"rate": 1e-3}, {"rate": 1e-3, "first_seed": 1}],  # nothing differs
        [{"rate": 1e-3}, {"rate": 1e-2, "clip_norm": 7.0}],  # two settings do
        # One does, on one task of two.
        [{"rate": 1e-3}, {"rate": 1e-2}, {"rate": 1e-3, "task": "sorting"}],
        # It has other values on another task.
        [
            *({"rate": rate, "task": "copy"} for rate in (1e-3, 1e-2)),
            *({"rate": rate, "task": "sorting"} for rate in (1e-3, 3e-3)),
        ],
        [{"rate": 1e-3, "model": "constant"}, {"rate": 1e-2, "model": "constant"}],  # a control
    ],
)
def test_nothing_is_compared_unless_one_setting_differs_everywhere(
    tmp_path: Path, runs: list[dict[str, Any]]
) -> None:
    for run in runs:
        settings = dict(run)
        trained(tmp_path, settings.pop("rate"), 0.3, **settings)
    study = make_study(load_results(tmp_path), tmp_path)
    assert not tables(study)
    assert not list(blocks(study))

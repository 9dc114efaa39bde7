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
    state: str = "finished",
    first_seed: int = 0,
    **train_settings: float,
) -> None:
    """A run for each share of what a constant loses on copy."""
    for seed, share in enumerate(shares, first_seed):
        fabricate(
            results,
            task,
            "lstm",
            seed,
            loss_bits=[CONSTANT, CONSTANT * share],
            errors=[1, 1],
            state=state,
            train_settings={"learning_rate": rate, **train_settings},
        )


def test_the_best_value_has_the_least_mean_of_capped_shares(tmp_path: Path) -> None:
    for task, shares in {"copy": (0.5, 0.2, 0.1), "sorting": (0.5, 0.6, 9.0)}.items():
        for rate, share in zip((3e-4, 1e-3, 1e-2), shares, strict=True):
            trained(tmp_path, rate, share, task=task)
    table = compared(tmp_path)
    assert list(table["setting"].unique()) == ["train.learning_rate"]
    assert list(table["value"].unique()) == ["0.0003", "0.001", "0.01"]
    sorting = validation_levels(make_task("sorting"), 64).chance.loss_bits / CONSTANT
    of_copy = table[table["section"] == "copy"]
    assert list(of_copy["share"]) == pytest.approx([0.5, 0.2, 0.1])
    of_sorting = table[table["section"] == "sorting"]
    assert list(of_sorting["share"]) == pytest.approx([0.5 / sorting, 0.6 / sorting, 1.0])
    means = (of_copy["share"].to_numpy() + of_sorting["share"].to_numpy()) / 2
    assert list(of_copy["mean_share"]) == pytest.approx(list(means))
    assert list(table.loc[table["best"], "value"].unique()) == ["0.001"]


def test_seeds_count_by_their_median_and_a_diverged_run_as_a_constant(tmp_path: Path) -> None:
    trained(tmp_path, 1e-3, 0.9, 0.3, 0.2)
    trained(tmp_path, 1e-2, 0.1, state="diverged")
    assert list(compared(tmp_path)["share"]) == pytest.approx([0.3, 1.0])


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


@pytest.mark.parametrize(
    ("rate", "others", "task"),
    [
        (1e-3, {}, "copy"),  # nothing differs
        (1e-2, {"max_grad_norm": 1.0}, "copy"),  # two settings do
        (1e-2, {}, "sorting"),  # one does, but not on each task
    ],
)
def test_nothing_is_compared_unless_one_setting_differs_everywhere(
    tmp_path: Path, rate: float, others: dict[str, Any], task: str
) -> None:
    trained(tmp_path, 1e-3, 0.3, 0.3)
    trained(tmp_path, rate, 0.1, task=task, first_seed=5, **others)
    study = make_study(load_results(tmp_path), tmp_path)
    assert not tables(study)
    assert not list(blocks(study))

"""Comparisons of models in a report: which are made, and what they could have found."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.fabricated import fabricate
from tests.reporting import build, task_of


@pytest.mark.slow
def test_models_are_compared_over_their_common_seeds(tmp_path: Path) -> None:
    for seed in range(7):
        fabricate(tmp_path, seed=seed, tested={20: 0.1 * (seed % 2)})
        fabricate(tmp_path, model="lstm", seed=seed, tested={20: 40 + seed})
    fabricate(tmp_path, model="lstm", seed=9, tested={20: 0})
    report = build(tmp_path)
    (row,) = report.tables["comparisons"].to_dict("records")
    assert (row["first"], row["second"], row["pairs"]) == ("ntm", "lstm", 7)
    assert row["difference"] == pytest.approx(0.3 / 7 - 43)
    assert row["p"] == row["p_holm"] == row["smallest_p"] == 2 / 2**7
    assert 0 < row["detectable"] < 20
    assert "True differences under" in task_of(report).texts("Models compared")[0]


def test_variations_of_a_recipe_are_compared_with_it_alone(tmp_path: Path) -> None:
    for seed in range(2):
        fabricate(tmp_path, model="lstm", seed=seed, tested={20: 40 + seed})
        for changes in ({}, {"clip_norm": 1.0}, {"momentum": 0.5}, {"learning_rate": 0.1}):
            fabricate(tmp_path, seed=seed, tested={20: seed}, train_settings=changes)
    pairs = build(tmp_path).tables["comparisons"]
    assert set(zip(pairs["first"], pairs["second"], strict=True)) == {
        ("ntm", "lstm"),
        ("ntm", "ntm (train.clip_norm=1.0)"),
        ("ntm", "ntm (train.momentum=0.5)"),
        ("ntm", "ntm (train.learning_rate=0.1)"),
    }


def test_comparisons_that_could_not_have_found_anything_say_so(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate(tmp_path, seed=seed, tested={20: 0})
        fabricate(tmp_path, model="lstm", seed=seed, tested={20: 40 + seed})
    task = task_of(build(tmp_path))
    assert task.texts("Models compared")[0] == (
        "1 of 1 comparisons could by themselves not have found any difference, however large: "
        "3 pairs give p = 0.25 at best."
    )


@pytest.mark.parametrize(("differ", "least"), [(8, True), (7, False)])
def test_a_p_value_that_could_not_be_less_says_so(tmp_path: Path, differ: int, least: bool) -> None:
    """All eight differences have one sign, or all but one."""
    for seed in range(8):
        fabricate(tmp_path, seed=seed, tested={20: 5.0})
        fabricate(
            tmp_path, model="lstm", seed=seed, tested={20: 40.0 + seed if seed < differ else 0}
        )
    report = build(tmp_path)
    (row,) = report.tables["comparisons"].to_dict("records")
    assert (row["p"] == 2 / 2**8) == row["p_is_least"] == least
    note = task_of(report).tables("Models compared")[""].rows[0][3].note
    assert ("the least that 8 pairs can give" in note) == least


def test_what_can_be_detected_is_told_after_the_correction(tmp_path: Path) -> None:
    """Six pairs could find a difference, if there were not three comparisons."""
    random = np.random.default_rng(0)
    for seed in range(6):
        for place, model in enumerate(("ntm", "lstm", "seq2seq")):
            fabricate(tmp_path, model=model, seed=seed, tested={20: 20.0 * place + random.random()})
    report = build(tmp_path)
    comparisons = report.tables["comparisons"]
    assert list(comparisons["p"]) == [2 / 2**6] * 3
    assert list(comparisons["p_holm"]) == list(comparisons["smallest_p"]) == [3 * 2 / 2**6] * 3
    assert list(comparisons["detectable"]) == [math.inf] * 3
    assert task_of(report).texts("Models compared")[0] == (
        "3 of 3 comparisons could by themselves not have found any difference, however large: "
        "6 pairs give p = 0.094 at best, corrected for 3 comparisons."
    )


@pytest.mark.usefixtures("illustrated")
def test_models_of_which_a_score_is_not_finite_are_not_compared(tmp_path: Path) -> None:
    for seed in range(8):
        fabricate(tmp_path, seed=seed, tested={20: math.nan if seed < 2 else 1.0 + seed})
        fabricate(tmp_path, model="lstm", seed=seed, tested={20: 40.0 + seed**2})
        # Seeds that were not tested are none that failed.
        fabricate(
            tmp_path, model="seq2seq", seed=seed, tested={20: 50.0 - seed} if seed > 1 else None
        )
    report = build(tmp_path)
    rows = report.tables["comparisons"].set_index(["first", "second"])
    assert rows["pairs"].to_list() == [8, 6, 6]
    assert rows["not_finite"].to_list() == [2, 0, 0]
    assert rows["p"].isna().to_list() == [True, False, False]
    texts = [row[2].text for row in task_of(report).tables("Models compared")[""].rows]
    assert texts[0] == "2 pairs not finite: not compared"
    # Two comparisons are left to correct for.
    assert rows["smallest_p"].to_list()[1:] == [2 * 2 / 2**6] * 2

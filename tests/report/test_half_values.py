"""Half-values: the strength of a disturbance at which exact match falls to one half."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ntmbench.report.page.blocks import Tabular
from ntmbench.report.sections.half_values import blocks, half_value, half_values, tables
from ntmbench.report.study.study import Study, make_study
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        ((1.0, 0.75, 0.25), 30),  # halfway between 20 and 40
        ((0.9, 0.5, 0.1), 20),
        ((1.0, 0.2, 0.9), 16.25),  # what comes after the first fall does not count
        ((0.5, 0.4, 0.3), 10),
        ((0.4, 0.3, 0.9), 0),
        ((1.0, 1.0, 0.51), math.inf),
    ],
)
def test_half_value_by_hand(exact: tuple[float, ...], expected: float) -> None:
    assert half_value((10, 20, 40), exact) == pytest.approx(expected)


def study_of(results: Path, runs: Mapping[tuple[str, str], Sequence[Sequence[float]]]) -> Study:
    """Runs of tasks and models with these shares of exact match at strengths of 10, 20 and 40."""
    for (task, model), shares in runs.items():
        for seed, exact in enumerate(shares):
            at = dict(zip((10, 20, 40), exact, strict=True))
            errors = {strength: 8 * (1 - share) for strength, share in at.items()}
            fabricate(results, task, model, seed, tested=errors, exact=at)
    return make_study(load_results(results), results)


def test_a_row_for_each_task_and_model(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        {
            ("aged_recall", "ntm"): [(1, 1, 1), (1, 0.75, 0.25), (1, 1, 0.9)],
            ("aged_recall", "lstm"): [(0.6, 0.4, 0), (0.3, 0, 0)],
            ("copy", "lstm"): [(0.6, 0.4, 0)],  # which does not disturb
        },
    )
    table = tables(study)["half_values"].set_index("label")
    assert dict(table["section"]) == {"ntm": "aged_recall", "lstm": "aged_recall"}
    assert dict(table["runs"]) == {"ntm": 3, "lstm": 2}
    assert dict(table["half_value"]) == {"ntm": math.inf, "lstm": 0}
    assert dict(table["half_value_min"]) == {"ntm": 30, "lstm": 0}
    assert dict(table["half_value_max"]) == {"ntm": math.inf, "lstm": pytest.approx(15)}
    _, shown = blocks(study)
    assert isinstance(shown, Tabular)
    assert {tuple(cell.text for cell in row) for row in shown.table.rows} == {
        ("aged_recall", "ntm", "3", "> 40", "steps of age"),
        ("aged_recall", "lstm", "2", "< 10", "steps of age"),
    }
    assert {row[3].note for row in shown.table.rows} == {"30.0 to > 40", "< 10 to 15.0"}


def test_variations_that_differ_in_a_number_are_a_disturbance_too(tmp_path: Path) -> None:
    wrong = {"10 steps of silence": 0.0, "20 steps of silence": 0.0, "40 steps of silence": 1.0}
    for task in ("aged_recall", "copy"):  # of which the second does not disturb
        fabricate(tmp_path, task, "ntm", 0, tested={10: 0.0, 20: 1.0}, variations=wrong)
    table = half_values(make_study(load_results(tmp_path), tmp_path))
    assert list(table["section"]) == ["aged_recall"] * 2
    assert dict(zip(table["strength"], table["half_value"], strict=True)) == {
        "steps of age": 15,
        "steps of silence": 30,
    }


def test_a_score_that_is_no_number_is_a_failure(tmp_path: Path) -> None:
    study = study_of(tmp_path, {("aged_recall", "ntm"): [(1, math.nan, 1)]})
    assert list(half_values(study)["half_value"]) == [15]


def test_tasks_that_do_not_disturb_have_none(tmp_path: Path) -> None:
    study = study_of(tmp_path, {("copy", "ntm"): [(1, 0.5, 0)]})
    assert not tables(study)
    assert not list(blocks(study))

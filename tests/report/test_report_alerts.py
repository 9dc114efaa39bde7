"""What a report tells at its top: controls that fail, runs that are missing or not alike."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ntmbench import registry
from ntmbench.evaluation.levels import length_levels, trained_constant, validation_levels
from ntmbench.registry import make_task, model_entry, model_names
from ntmbench.report.study.contestants import JUDGED, is_control
from ntmbench.report.study.controls import DEMANDS
from tests.fabricated import fabricate
from tests.reporting import build, table_of, task_of, texts_of, told


def test_controls_that_come_out_as_they_must(tmp_path: Path) -> None:
    chance = validation_levels(make_task("copy"), 64).chance.loss_bits
    fabricate(tmp_path, model="oracle", errors=[0], tested={20: 0})
    fabricate(tmp_path, model="constant", errors=[40], loss_bits=[chance])
    fabricate(tmp_path, model="memoryless", errors=[40], loss_bits=[chance * 0.995])
    fabricate(tmp_path, tested={20: 0})
    report = build(tmp_path)
    assert "All controls came out as they must." in told(report)
    # They are no contestants.
    assert [row[1].text for row in table_of(report, "summary").rows] == ["ntm"]
    assert len(task_of(report).seeds) == 4


@pytest.mark.parametrize(
    ("control", "wrong", "loss", "tested"),
    [
        ("oracle", 0, 0.0, {20: 0.5}),
        ("oracle", 0, 0.0, {20: math.nan}),
        ("constant", 40, 1.05, {20: 80}),
        ("constant", 40, 0.95, {20: 80}),
        ("constant", 40, math.nan, {20: 80}),
        ("memoryless", 30, 0.9, {20: 70}),
    ],
)
def test_a_control_that_comes_out_otherwise_is_told_at_the_top(
    tmp_path: Path, control: str, wrong: float, loss: float, tested: dict[int, float]
) -> None:
    chance = validation_levels(make_task("copy"), 64).chance.loss_bits
    fabricate(tmp_path, model=control, errors=[wrong], loss_bits=[loss * chance], tested=tested)
    report = build(tmp_path)
    (alert,) = (alert for alert in report.page.alerts if alert.bad)
    assert alert.text == f"Control {control} came out not as it must on copy."
    cell = table_of(report, "controls").rows[0][table_of(report, "controls").header.index(control)]
    assert cell.kind == "bad"
    assert "it" in cell.note


def test_a_constant_must_end_where_training_takes_it(tmp_path: Path) -> None:
    """Which is not chance where answers have several sizes."""
    task = make_task("queue")
    levels = {
        "as it must": trained_constant(task, 64).loss_bits,
        "not as it must": validation_levels(task, 64).chance.loss_bits,
    }
    for verdict, loss in levels.items():
        folder = tmp_path / verdict.replace(" ", "-")
        fabricate(folder, "queue", "constant", errors=[4], loss_bits=[loss], tested={10: 5})
        (row,) = table_of(build(folder), "controls").rows
        assert row[2].text == verdict


@pytest.mark.parametrize(("lost", "verdict"), [(4e-7, "as it must"), (4e-6, "not as it must")])
def test_an_oracle_may_lose_what_rounding_takes(tmp_path: Path, lost: float, verdict: str) -> None:
    """The optimum of 48 examples is next to nothing, of which any share is less."""
    optimum = length_levels(make_task("in_context_function"), 48, 512).optimum.loss_bits
    assert optimum < 1e-8
    tested: dict[str, Any] = {"tested": {48: 0}, "tested_loss": {48: optimum + lost}}
    fabricate(tmp_path, "in_context_function", "oracle", errors=[0], **tested)
    (row,) = table_of(build(tmp_path), "controls").rows
    assert row[1].text == verdict


def test_a_memoryless_network_may_do_well_where_no_memory_is_needed(tmp_path: Path) -> None:
    fabricate(tmp_path, "ngrams", "memoryless", errors=[70], loss_bits=[150], tested={200: 70})
    report = build(tmp_path)
    assert not [alert for alert in report.page.alerts if alert.bad]


def test_missing_and_unfinished_controls_are_told(tmp_path: Path) -> None:
    fabricate(tmp_path, model="oracle", state="running")
    texts = told(build(tmp_path))
    assert "Control oracle was not finished on copy." in texts
    assert "Controls constant, memoryless were not run on copy." in texts


def test_a_control_that_was_not_checked_has_not_passed(tmp_path: Path) -> None:
    fabricate(tmp_path, model="oracle")
    for model in ("constant", "memoryless"):
        fabricate(tmp_path, model=model, errors=[])
    report = build(tmp_path)
    assert "Controls oracle, constant, memoryless came out not as they must on copy." in told(
        report
    )
    notes = [cell.note for cell in table_of(report, "controls").rows[0][1:]]
    assert "it has no test scores." in notes[0]
    assert all("it has no learning curve." in note for note in notes[1:])


def test_a_control_that_diverged_has_not_passed(tmp_path: Path) -> None:
    for seed, state in enumerate(("finished", "diverged", "diverged")):
        fabricate(tmp_path, model="oracle", seed=seed, tested={20: 0}, state=state)
    (row,) = table_of(build(tmp_path), "controls").rows
    assert row[1].text == "not as it must"
    assert row[1].note.endswith("it diverged. (and 1 more)")


def test_a_control_tells_how_many_of_its_runs_were_checked(tmp_path: Path) -> None:
    for seed, state in enumerate(("finished", "failed", "running")):
        fabricate(tmp_path, model="oracle", seed=seed, tested={20: 0}, state=state)
    (row,) = table_of(build(tmp_path), "controls").rows
    assert (row[1].text, row[1].note) == ("as it must", "1 of 3 runs")


def test_controls_of_which_nothing_is_demanded_have_not_passed(tmp_path: Path) -> None:
    for model in ("oracle", "constant", "memoryless"):
        folder = fabricate(tmp_path, model=model, tested={20: 0})
        status = folder.read_status()
        status["settings"]["task"] = {"name": "juggling", "version": 1, "balls": 3}
        folder.write_status(status)
    report = build(tmp_path)
    assert {cell.text for cell in table_of(report, "controls").rows[0][1:]} == {"no demand"}
    assert "All controls came out as they must." not in told(report)


def test_controls_are_those_that_are_registered_as_such() -> None:
    assert [name for name in model_names() if is_control(name)] == sorted(JUDGED)
    assert set(DEMANDS) == set(JUDGED)


def test_a_control_that_is_not_installed_here_is_one_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(tmp_path, tested={20: 0})
    fabricate(tmp_path, model="oracle", tested={20: 0})
    fabricate(tmp_path, model="juggler", tested={20: 0})
    monkeypatch.delitem(registry._models, "oracle")
    report = build(tmp_path)
    assert table_of(report, "controls").rows[0][1].text == "as it must"
    assert [row[1].text for row in table_of(report, "summary").rows] == ["ntm", "juggler"]


def test_a_control_of_which_nothing_is_demanded_does_not_compete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(tmp_path, tested={20: 0})
    fabricate(tmp_path, model="stack_rnn", tested={20: 80})
    entry = replace(model_entry("stack_rnn"), control=True)
    monkeypatch.setitem(registry._models, "stack_rnn", entry)
    report = build(tmp_path)
    controls = table_of(report, "controls")
    assert controls.header == ["task", "oracle", "constant", "memoryless", "stack_rnn"]
    assert (controls.rows[0][4].text, controls.rows[0][4].note) == (
        "no demand",
        "The report makes no demand on it.",
    )
    assert [row[1].text for row in table_of(report, "summary").rows] == ["ntm"]


def test_runs_from_changed_source_are_told(tmp_path: Path) -> None:
    first, second = "a" * 40, "b" * 40
    fabricate(tmp_path, seed=0, commit=f"{first}+")
    fabricate(tmp_path, seed=1, commits=[first, f"{second}+"])
    fabricate(tmp_path, seed=2, commits=[second])
    report = build(tmp_path)
    (alert,) = (alert for alert in report.page.alerts if alert.bad)
    assert alert.text == "2 runs come from changed source: no commit has it."
    # Two in all: a list of them is none of its own, nor is one whose source was changed.
    assert "The runs come from 2 commits and 1 set of versions, also those of copy." in told(report)
    cells = {row[0].text: row[0].note for row in table_of(report, "made-with").rows}
    assert cells == {
        "a" * 12 + "+": "source changed since",
        "a" * 12 + ", then " + "b" * 12 + "+": "source changed since",
        "b" * 12: "",
    }


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    for seed in (0, 1):
        fabricate(tmp_path, seed=seed, tested={20: 0})
    fabricate(tmp_path, task="recall", model="lstm")
    texts = told(build(tmp_path))
    assert "No runs: ntm on recall, lstm on copy." in texts
    assert "Fewer than 2 seeds: lstm on recall (1)." in texts
    assert any(text.startswith("3 runs judged solved on fewer than 640") for text in texts)
    assert "1 finished run without test scores: recall." in texts
    assert "3 finished runs without errors by position: copy, recall." in texts
    assert "3 finished runs without example: copy, recall." in texts


def test_runs_of_one_table_from_different_commits_are_told(tmp_path: Path) -> None:
    for seed, commit in enumerate(("a" * 40, "b" * 40, None)):
        fabricate(tmp_path, seed=seed, commit=commit, wall_seconds=3600.0)
    report = build(tmp_path)
    text = "The runs come from 3 commits and 1 set of versions, also those of copy."
    assert text in told(report)
    assert {row[0].text for row in table_of(report, "made-with").rows} == {
        "a" * 12,
        "b" * 12,
        "not recorded",
    }
    assert "3.0 h" in texts_of(report, "made-with")[0]

"""What the report says of runs: commands, controls, the scorecard, comparisons, examples."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from ntmbench.composition import CONFIG_MODULE, VERSION_BASE, to_run_config
from ntmbench.config import run_name
from ntmbench.registry import make_task
from ntmbench.report import numbers
from ntmbench.report.build import Report, build_report, write_report
from ntmbench.report.commands import command, hydra_value, repeat
from ntmbench.report.latex import escape_latex
from ntmbench.report.levels import validation_levels
from ntmbench.report.page import Cell
from ntmbench.report.reference import LITERATURE, Literature, Measure
from ntmbench.report.scorecard import verdict
from ntmbench.runs import load_results
from ntmbench.settings import SettingError
from tests.fabricated import fabricate, full_identity


def build(results: Path) -> Report:
    return build_report(load_results(results), results)


def told(report: Report) -> list[str]:
    return [alert.text for alert in report.page.alerts]


def composed_name(line: str) -> str:
    """The name of the run that a command line starts."""
    program, overrides = shlex.split(line)[:3], shlex.split(line)[3:]
    assert program == ["python", "-m", "ntmbench"]
    with initialize_config_module(CONFIG_MODULE, **VERSION_BASE):
        return to_run_config(compose("config", overrides=overrides)).run_name


@pytest.mark.parametrize(
    ("task", "model", "changes"),
    [
        ("copy", "ntm", {}),
        ("recall", "lstm", {"seed": 7}),
        ("sorting", "ntm", {"task": {"max_length": 5}, "model": {"initial_memory": "learned"}}),
        ("copy", "seq2seq", {"train": {"learning_rate": 3e-05, "sequences": 1}}),
        ("ngrams", "ntm", {"evaluation": {"lengths": [100, 250], "sequences": 8}}),
        (
            "copy",
            "custom",
            {"model": {"target": "torch.nn:Linear", "arguments": {"bias": False, "a": "x, y"}}},
        ),
    ],
)
def test_a_command_starts_the_very_same_run(
    task: str, model: str, changes: dict[str, object]
) -> None:
    identity = full_identity(task, model, 0)
    for part, values in changes.items():
        identity[part] = identity[part] | values if isinstance(values, dict) else values
    repeated = repeat(identity)
    assert repeated.caveat == ""
    line = command(repeated.overrides, [identity["seed"]])
    assert composed_name(line) == run_name(identity)


def test_a_command_names_what_differs_and_nothing_else() -> None:
    identity = full_identity("copy", "ntm", 3)
    assert command(repeat(identity).overrides, [3]) == (
        "python -m ntmbench task=copy model=ntm seed=3"
    )
    identity["model"]["controller"] = "feedforward"
    assert command(repeat(identity).overrides, [2, 0, 2]) == (
        "python -m ntmbench -m task=copy model=ntm model.controller=feedforward seed=0,2"
    )


def test_a_command_for_a_run_of_another_version_says_what_differs() -> None:
    identity = full_identity("copy", "ntm", 0)
    identity["task"]["version"] += 1
    del identity["train"]["patience"]
    assert repeat(identity).caveat == "task.version, train.patience"


def test_there_is_no_command_for_what_is_not_installed() -> None:
    identity = full_identity("copy", "ntm", 0)
    identity["model"]["name"] = "juggler"
    with pytest.raises(SettingError, match="juggler"):
        repeat(identity)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=20))
def test_any_text_is_a_value_for_hydra(text: str) -> None:
    line = f"key={hydra_value(text)}"
    read = OverridesParser.create().parse_override(line).value()
    # A reference to another setting is escaped one level further.
    assert str(getattr(read, "text", read)).replace("\\${", "${") == text.replace("\\${", "${")


def test_the_seeds_of_a_cell_have_figures_folder_and_command(tmp_path: Path) -> None:
    for seed in (0, 1):
        fabricate(tmp_path, seed=seed, tested={20: seed})
    report = build(tmp_path)
    (seeds,) = report.page.sections[0].seeds
    assert seeds.caveat == ""
    assert composed_name(seeds.runs.rows[1][-1].code) == seeds.runs.rows[1][-1].text
    assert [row[0].text for row in seeds.runs.rows] == ["0", "1"]
    row = dict(zip(seeds.runs.header, seeds.runs.rows[1], strict=True))
    assert (row["solved at"].text, row["90% exact to"].text, row["wrong bits"].text) == (
        "2,000",
        "0",
        "1.00",
    )
    # Every cell of the main table leads there.
    assert {cell.href for cell in report.page.summary.rows[0][1:]} == {f"#{seeds.anchor}"}


def test_controls_that_come_out_as_they_must(tmp_path: Path) -> None:
    chance = validation_levels(make_task("copy"), 64).chance.loss_bits
    fabricate(tmp_path, model="oracle", wrong_bits=[0], tested={20: 0})
    fabricate(tmp_path, model="constant", wrong_bits=[40], loss_bits=[chance])
    fabricate(tmp_path, model="memoryless", wrong_bits=[40], loss_bits=[chance * 0.995])
    fabricate(tmp_path, tested={20: 0})
    report = build(tmp_path)
    assert "All controls came out as they must." in told(report)
    # They are no contestants.
    assert [row[1].text for row in report.page.summary.rows] == ["ntm"]
    assert len(report.page.sections[0].seeds) == 4


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
    fabricate(tmp_path, model=control, wrong_bits=[wrong], loss_bits=[loss * chance], tested=tested)
    report = build(tmp_path)
    (alert,) = (alert for alert in report.page.alerts if alert.bad)
    assert alert.text == f"Control {control} came out not as it must on copy."
    cell = report.page.controls.rows[0][report.page.controls.header.index(control)]
    assert cell.kind == "bad"
    assert "it" in cell.note


def test_a_memoryless_network_may_do_well_where_no_memory_is_needed(tmp_path: Path) -> None:
    fabricate(tmp_path, "ngrams", "memoryless", wrong_bits=[70], loss_bits=[150], tested={200: 70})
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
        fabricate(tmp_path, model=model, wrong_bits=[])
    report = build(tmp_path)
    assert "Controls oracle, constant, memoryless came out not as they must on copy." in told(
        report
    )
    notes = [cell.note for cell in report.page.controls.rows[0][1:]]
    assert "it has no test scores." in notes[0]
    assert all("it has no learning curve." in note for note in notes[1:])


def test_a_control_that_diverged_has_not_passed(tmp_path: Path) -> None:
    for seed, state in enumerate(("finished", "diverged", "diverged")):
        fabricate(tmp_path, model="oracle", seed=seed, tested={20: 0}, state=state)
    (row,) = build(tmp_path).page.controls.rows
    assert row[1].text == "not as it must"
    assert row[1].note.endswith("it diverged. (and 1 more)")


def test_a_control_tells_how_many_of_its_runs_were_checked(tmp_path: Path) -> None:
    for seed, state in enumerate(("finished", "failed", "running")):
        fabricate(tmp_path, model="oracle", seed=seed, tested={20: 0}, state=state)
    (row,) = build(tmp_path).page.controls.rows
    assert (row[1].text, row[1].note) == ("as it must", "1 of 3 runs")


def test_controls_of_which_nothing_is_demanded_have_not_passed(tmp_path: Path) -> None:
    for model in ("oracle", "constant", "memoryless"):
        folder = fabricate(tmp_path, model=model, tested={20: 0})
        status = folder.read_status()
        status["settings"]["task"] = {"name": "juggling", "version": 1, "balls": 3}
        folder.write_status(status)
    report = build(tmp_path)
    assert {cell.text for cell in report.page.controls.rows[0][1:]} == {"no demand"}
    assert "All controls came out as they must." not in told(report)


def test_runs_from_changed_source_are_told(tmp_path: Path) -> None:
    first, second = "a" * 40, "b" * 40
    fabricate(tmp_path, seed=0, commit=f"{first}+")
    fabricate(tmp_path, seed=1, commits=[first, f"{second}+"])
    fabricate(tmp_path, seed=2, commits=[second])
    report = build(tmp_path)
    (alert,) = (alert for alert in report.page.alerts if alert.bad)
    assert alert.text == "2 runs come from changed source: no commit has it."
    cells = {row[0].text: row[0].note for row in report.page.provenance.rows}
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
    assert "Models have different numbers of seeds: 1 to 2." in texts
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
    assert {row[0].text for row in report.page.provenance.rows} == {
        "a" * 12,
        "b" * 12,
        "not recorded",
    }
    assert "3.0 h" in report.page.provenance_note


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
    assert "True differences under" in report.page.sections[0].comparison_note


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
    (section,) = build(tmp_path).page.sections
    assert section.comparison_note == (
        "1 of 1 comparisons could not have found any difference, however large: 3 pairs give "
        "p = 0.25 at best."
    )


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
    assert report.page.sections[0].comparison_note == (
        "3 of 3 comparisons could not have found any difference, however large: 6 pairs give "
        "p = 0.094 at best, corrected for 3 comparisons."
    )


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
    texts = [row[2].text for row in report.page.sections[0].comparisons.rows]
    assert texts[0] == "2 pairs not finite: not compared"
    # Two comparisons are left to correct for.
    assert rows["smallest_p"].to_list()[1:] == [2 * 2 / 2**6] * 2


def test_lengths_of_selection_are_told_with_the_task(tmp_path: Path) -> None:
    task = make_task("copy")
    fabricate(tmp_path, tested={20: 0, 120: 0})
    (section,) = build(tmp_path).page.sections
    near, far = task.selection_lengths
    assert section.notes == [
        "Trained on length 1 to 20. Weights are selected on validation data of that and of length "
        f"{near} and {far}."
    ]
    (picture,) = (p for p in section.pictures if p.file == "copy-length-wrong-bits.svg")
    assert "selection lengths" in picture.svg


def test_what_is_not_over_all_runs_says_so(tmp_path: Path) -> None:
    for seed, wrong in enumerate((0, 0, 0, 0, 30, None)):
        tested = None if wrong is None else {20: float(wrong)}
        fabricate(
            tmp_path, seed=seed, tested=tested, state="failed" if tested is None else "finished"
        )
    report = build(tmp_path)
    (row,) = report.page.summary.rows
    summary = dict(zip(report.page.summary.header, row, strict=True))
    for name in ("90% exact to length", "99% exact to length", "wrong bits", "loss over optimum"):
        assert summary[name].note.endswith("5 of 6 tested")
    assert "They count as not solved, and are in no test score unless tested." in told(report)[0]


def test_an_interquartile_mean_of_zero_says_how_many_are_at_zero(tmp_path: Path) -> None:
    for seed in range(8):
        fabricate(tmp_path, seed=seed, tested={20: 30.0 * (seed > 6)})
    report = build(tmp_path)
    (row,) = report.page.summary.rows
    cell = row[report.page.summary.header.index("wrong bits")]
    assert cell.text == "0"
    assert cell.note.endswith("7 of 8 at zero")


def test_costs_tell_what_runs_were_trained_on(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate(tmp_path, seed=seed, train_settings={"sequences": 9000, "attempts": 3})
    report = build(tmp_path)
    (row,) = report.page.costs.rows
    cell = row[report.page.costs.header.index("training sequences")]
    assert (cell.text, cell.note) == ("9,000", "used: 3,000")


def test_what_has_no_figure_is_sorted_last() -> None:
    assert Cell("", rank=math.nan).rank_text == Cell("", rank=math.inf).rank_text == "Infinity"


def entry(measure: Measure, low: float, high: float, tolerance: float) -> Literature:
    return Literature("copy", "ntm", None, measure, None, low, high, tolerance, "", "")


@pytest.mark.parametrize(
    ("ours", "expected"),
    [(7_400, "better"), (7_600, "same"), (12_500, "same"), (12_600, "worse"), (math.inf, "worse")],
)
def test_sequences_are_judged_with_a_relative_tolerance(ours: float, expected: str) -> None:
    assert verdict(entry(Measure.SEQUENCES, 10_000, 10_000, 0.25), ours) == expected


@pytest.mark.parametrize(
    ("ours", "expected"),
    [(16.9, "better"), (17.1, "same"), (21, "same"), (21.1, "worse"), (math.nan, "not measured")],
)
def test_bits_are_judged_with_an_absolute_tolerance(ours: float, expected: str) -> None:
    assert verdict(entry(Measure.LOSS_BITS, 18, 20, 1), ours) == expected


def test_not_solving_what_the_literature_did_not_solve_is_the_same() -> None:
    assert verdict(entry(Measure.SEQUENCES, 1e6, math.inf, 0), math.inf) == "same"


def test_the_scorecard_has_every_figure_of_the_literature(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate(
            tmp_path,
            seed=seed,
            wrong_bits=[80, 0, 0, 0],
            tested={20: 0, 120: 3},
            train_settings={"batch_size": 4},
        )
    scorecard = build(tmp_path).tables["scorecard"]
    assert len(scorecard) == len(LITERATURE)
    copy = scorecard[(scorecard["task"] == "copy") & (scorecard["label"] == "ntm")]
    verdicts = dict(zip(copy["says"], copy["verdict"], strict=True))
    assert verdicts["near zero by about 100,000"] == "better"
    assert verdicts["0.0% wrong at length 120"] == "worse"
    # In batches of four, by a machine of another size than theirs.
    assert verdicts["11.3 ms at batch size 1 on a laptop's CPU"] == "not comparable"
    assert set(scorecard.loc[scorecard["task"] != "copy", "verdict"]) == {"not measured"}


def of_literature(report: Report, says: str) -> tuple[dict[Hashable, Any], list[str]]:
    """The row of a figure of the literature, and what the page has in it."""
    (place,) = np.flatnonzero(report.tables["scorecard"]["says"] == says)
    row = report.tables["scorecard"].iloc[int(place)].to_dict()
    cells = report.page.scorecard.rows[int(place)]
    return row, [part for cell in cells for part in (cell.text, cell.note) if part]


def test_what_ended_before_the_literature_did_can_not_be_told() -> None:
    by_150k = entry(Measure.SEQUENCES, 150_000, 150_000, 0.25)
    assert verdict(by_150k, math.inf, 100_000) == "cannot tell (budget)"
    assert verdict(by_150k, math.inf, 187_500) == "worse"
    assert verdict(by_150k, 100_000, 100_000) == "better"
    never = entry(Measure.SEQUENCES, 1e6, math.inf, 0)
    assert verdict(never, math.inf, 100_000) == "cannot tell (budget)"
    assert verdict(never, math.inf, 1_000_000) == "same"


def test_times_are_compared_at_equal_batch_size_and_parameters_only(tmp_path: Path) -> None:
    says = "11.3 ms at batch size 1 on a laptop's CPU"
    single = {"batch_size": 1}
    fabricate(tmp_path, train_settings=single, sequences_per_second=500.0)
    assert of_literature(build(tmp_path), says)[0]["verdict"] == "better"
    fabricate(tmp_path, seed=1, train_settings=single, parameters=20_000)
    assert of_literature(build(tmp_path), says)[0]["verdict"] == "not comparable"


def test_one_seed_with_mistakes_is_no_same_where_none_are_claimed(tmp_path: Path) -> None:
    for seed, wrong in enumerate((0, 0, 80, None)):
        tested = None if wrong is None else {20: 0.0, 120: wrong}
        fabricate(
            tmp_path, seed=seed, tested=tested, state="failed" if tested is None else "finished"
        )
    row, cells = of_literature(build(tmp_path), "0.0% wrong at length 120")
    assert (row["ours"], row["runs"], row["tested"], row["verdict"]) == (0, 4, 3, "worse")
    assert "0 to 80.0; 4 runs of 3,000 sequences; 3 of 4 tested" in cells


def test_a_stricter_threshold_is_reached_later(tmp_path: Path) -> None:
    wrong = [80, 0.08, 0.08, 0.01]
    for seed in range(5):
        fabricate(tmp_path, seed=seed, model_settings={"controller": "lstm"}, wrong_bits=wrong)
    report = build(tmp_path)
    assert of_literature(report, "under 0.05 bits at 10,000")[0]["ours"] == 3000
    assert of_literature(report, "about 17,000")[0]["ours"] == 1000


def test_an_endless_interval_of_runs_that_all_solved_it_is_not_told_as_unsolved(
    tmp_path: Path,
) -> None:
    for seed, points in enumerate((1, 2, 3, 3)):
        fabricate(tmp_path, seed=seed, wrong_bits=[80] * points + [0] * (4 - points))
    report = build(tmp_path)
    _, cells = of_literature(report, "about 17,000")
    assert "1,000 or more; 4 runs of 3,000 sequences" in cells
    (row,) = report.page.summary.rows
    summary = dict(zip(report.page.summary.header, row, strict=True))
    assert summary["sequences to solve"].note == "1,000 or more"


def test_other_sizes_are_not_set_beside_the_literature(tmp_path: Path) -> None:
    fabricate(tmp_path, task_settings={"bits": 4}, tested={20: 0})
    assert set(build(tmp_path).tables["scorecard"]["verdict"]) == {"not measured"}


def test_the_example_is_that_of_the_median_seed(tmp_path: Path) -> None:
    for seed, wrong in enumerate((9, 1, 4)):
        fabricate(tmp_path, seed=seed, tested={20: wrong}, example=wrong / 100)
    fabricate(tmp_path, model="lstm", tested={20: 40}, example=0.3)
    answers, memory = build(tmp_path).page.sections[0].gallery
    assert "seed 2: " in answers.svg
    assert "seed 0: " in answers.svg  # the only one of the LSTM
    assert "input" in answers.svg
    assert "ntm, seed 2" in memory.caption
    assert "write weightings" in memory.svg


def test_an_example_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={20: 0}, example=0.0)
    (folder.path / "example.npz").write_bytes(b"PK\x03\x04 and no more")
    (section,) = build(tmp_path).page.sections
    assert section.gallery == []
    assert "example.npz" in section.gallery_note


def test_errors_by_position_are_medians_over_seeds(tmp_path: Path) -> None:
    for seed, wrong in enumerate((0.0, 1.0, math.nan)):
        fabricate(tmp_path, seed=seed, tested={2: 0}, positions={2: [0.0, wrong]})
    report = build(tmp_path)
    table = report.tables["positions"].set_index("position")
    assert table["median"].to_list() == [0, 1]
    assert table["high"].to_list() == [0, math.inf]
    assert any(
        picture.file == "copy-positions-2.svg" for picture in report.page.sections[0].pictures
    )


def test_variations_are_told(tmp_path: Path) -> None:
    fabricate(tmp_path, "repeat_copy", tested={10: 0}, variations={"20 repeats": 3.5})
    report = build(tmp_path)
    (row,) = report.tables["variations"].to_dict("records")
    assert (row["variation"], row["wrong_bits_median"]) == ("20 repeats", 3.5)
    assert "Variations" in [title for title, _ in report.page.sections[0].tables]


def test_pictures_follow_the_colours_of_the_page(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0})
    picture = build(tmp_path).page.sections[0].pictures[0]
    assert "#0072b2" in picture.svg
    assert "#0072b2" not in picture.element
    assert "var(--series-0)" in picture.element
    assert picture.element.startswith('<svg role="img" aria-label="copy: learning curves')
    assert not re.search(r'\bid="[\w.]+_\d+"', picture.element)


def test_pictures_of_one_page_share_no_identifier(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0})
    seen: set[str] = set()
    for picture in build(tmp_path).pictures:
        here = set(re.findall(r'\bid="([^"]+)"', picture.element))
        assert not here & seen
        seen |= here


def test_the_latex_table_is_whole_and_escaped(tmp_path: Path) -> None:
    fabricate(tmp_path, task="repeat_copy", tested={10: 0})
    fabricate(tmp_path, task="repeat_copy", model="lstm", wrong_bits=[80, 70])
    report = build(tmp_path)
    lines = report.latex.splitlines()
    assert (lines[0], lines[1], lines[-1]) == (
        r"\begin{tabular}{llrrrrrrr}",
        r"\toprule",
        r"\end{tabular}",
    )
    rows = [line for line in lines if line.endswith(r"\\")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {8}
    assert r"repeat\_copy" in report.latex
    assert r"\textgreater{} 3,000" in report.latex


def test_what_means_something_to_latex_is_escaped() -> None:
    assert escape_latex("[a_b] & 5% $x^2$ {#} \\ ~") == (
        r"{[}a\_b{]} \& 5\% \$x\textasciicircum{}2\$ \{\#\} \textbackslash{} \textasciitilde{}"
    )


@pytest.mark.parametrize(
    ("p", "text"),
    [(1, "1.00"), (0.0625, "0.063"), (0.0200001, "0.021"), (0.0009, "<0.001"), (math.nan, "")],
)
def test_p_values_are_rounded_up(p: float, text: str) -> None:
    assert numbers.p_value(p) == text


def test_older_runs_have_a_report_too(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={20: 0})
    status = folder.read_status()
    for key in ("commit", "versions", "ended", "device", "wall_seconds"):
        del status[key]
    folder.write_status(status)
    report = build(tmp_path)
    write_report(report, tmp_path / "report")
    (row,) = report.page.provenance.rows
    assert row[0].text == row[1].text == "not recorded"


def test_tables_can_be_read_back(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0}, positions={20: [0.0] * 20})
    report = build(tmp_path)
    write_report(report, tmp_path / "report")
    for name, table in report.tables.items():
        read = pd.read_csv(tmp_path / "report" / "tables" / f"{name}.csv")
        assert list(read.columns) == list(table.columns)
        assert len(read) == len(table)


def test_every_seed_counts_once_whatever_the_order_of_folders(tmp_path: Path) -> None:
    for seed in range(11):
        fabricate(tmp_path, seed=seed, tested={20: float(np.float64(seed))})
    (row,) = build(tmp_path).tables["summary"].to_dict("records")
    assert row["seeds"] == " ".join(map(str, range(11)))
    assert row["wrong_bits"] == pytest.approx(5)
    assert json.loads(json.dumps(row["runs"])) == 11

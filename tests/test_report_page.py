"""What the report says of runs: commands, controls, the scorecard, comparisons, examples."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path

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


def test_comparisons_that_could_not_have_found_anything_say_so(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate(tmp_path, seed=seed, tested={20: 0})
        fabricate(tmp_path, model="lstm", seed=seed, tested={20: 40 + seed})
    (section,) = build(tmp_path).page.sections
    assert section.comparison_note == (
        "1 of 1 comparisons could not have found any difference, however large: 3 pairs give "
        "p = 0.25 at best."
    )


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
        fabricate(tmp_path, seed=seed, wrong_bits=[80, 0, 0, 0], tested={20: 0, 120: 3})
    scorecard = build(tmp_path).tables["scorecard"]
    assert len(scorecard) == len(LITERATURE)
    copy = scorecard[(scorecard["task"] == "copy") & (scorecard["label"] == "ntm")]
    verdicts = dict(zip(copy["says"], copy["verdict"], strict=True))
    assert verdicts["near zero by about 100,000"] == "better"
    assert verdicts["0.0% wrong at length 120"] == "worse"
    assert verdicts["11.3 ms at batch size 1 on a laptop's CPU"] == "better"  # 500 in a second
    assert set(scorecard.loc[scorecard["task"] != "copy", "verdict"]) == {"not measured"}


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

"""What the report says of runs: commands, lengths, costs, examples, tables."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ntmbench.registry import make_task
from ntmbench.report.build import build_report, write_report
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Cell
from ntmbench.report.page.latex import escape_latex
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate
from tests.reporting import build, composed_name, table_of, task_of, texts_of, told


def test_the_seeds_of_a_cell_have_figures_folder_and_command(tmp_path: Path) -> None:
    for seed in (0, 1):
        fabricate(tmp_path, seed=seed, tested={20: seed})
    report = build(tmp_path)
    (seeds,) = task_of(report).seeds
    assert seeds.caveat == ""
    assert composed_name(seeds.table.rows[1][-1].code) == seeds.table.rows[1][-1].text
    assert [row[0].text for row in seeds.table.rows] == ["0", "1"]
    row = dict(zip(seeds.table.header, seeds.table.rows[1], strict=True))
    assert (row["solved at"].text, row["90% exact to"].text, row["wrong bits"].text) == (
        "2,000",
        "0",
        "1.00",
    )
    # Every cell of the main table leads there.
    assert {cell.href for cell in table_of(report, "summary").rows[0][1:]} == {f"#{seeds.anchor}"}


@pytest.mark.usefixtures("illustrated")
def test_lengths_of_selection_are_told_with_the_task(tmp_path: Path) -> None:
    near, far = make_task("copy").selection_lengths
    fabricate(tmp_path, tested={20: 0, 120: 0})
    task = task_of(build(tmp_path))
    assert task.texts() == [
        "Trained on length 1 to 20. Weights are selected on validation data of that and of length "
        f"{near} and {far}."
    ]
    (picture,) = (p for p in task.pictures() if p.file == "copy-length-errors.svg")
    assert "selection lengths" in picture.svg


@pytest.mark.usefixtures("illustrated")
def test_what_is_not_over_all_runs_says_so(tmp_path: Path) -> None:
    for seed, wrong in enumerate((0, 0, 0, 0, 30, None)):
        tested = None if wrong is None else {20: float(wrong)}
        fabricate(
            tmp_path, seed=seed, tested=tested, state="failed" if tested is None else "finished"
        )
    report = build(tmp_path)
    (row,) = table_of(report, "summary").rows
    summary = dict(zip(table_of(report, "summary").header, row, strict=True))
    for name in ("90% exact to length", "99% exact to length", "wrong bits", "loss over optimum"):
        assert summary[name].note.endswith("5 of 6 tested")
    assert told(report)[0] == (
        "Not finished: 1 failed. They count as not solved. None of them was tested, so they are in "
        "no test score."
    )


@pytest.mark.parametrize(
    ("tested", "said"),
    [
        ((5, 6), "All of them were tested, and their test scores count."),
        ((5, None), "1 of 2 were tested, and their test scores count."),
        ((None, None), "None of them was tested, so they are in no test score."),
    ],
)
def test_the_report_says_whether_unfinished_runs_are_in_test_scores(
    tmp_path: Path, tested: tuple[float | None, float | None], said: str
) -> None:
    for seed, wrong in enumerate(tested):
        grid = None if wrong is None else {20: wrong}
        fabricate(tmp_path, seed=seed, tested=grid, state="diverged")
    report = build(tmp_path)
    assert told(report)[0] == f"Not finished: 2 diverged. They count as not solved. {said}"
    (row,) = report.tables["summary"].to_dict("records")
    assert row["evaluated"] == sum(wrong is not None for wrong in tested)


def test_a_median_where_no_run_is_says_what_lies_on_either_side(tmp_path: Path) -> None:
    for seed, wrong in enumerate(([80, 0, 0, 0], [80, 80, 80, 0])):
        fabricate(tmp_path, seed=seed, errors=wrong)
    report = build(tmp_path)
    (row,) = report.tables["summary"].to_dict("records")
    assert row["sequences_to_solve"] == 2000
    assert (row["half_solved_by"], row["half_solved_from"]) == (1000, 3000)
    (cells,) = table_of(report, "summary").rows
    cell = cells[table_of(report, "summary").header.index("sequences to solve")]
    assert cell.text == "2,000"
    assert cell.note.endswith("half by 1,000, half from 3,000")


def test_a_median_that_is_a_runs_own_says_nothing_more(tmp_path: Path) -> None:
    for seed, wrong in enumerate(([80, 0, 0, 0], [80, 80, 0, 0], [80, 80, 80, 0])):
        fabricate(tmp_path, seed=seed, errors=wrong)
    (cells,) = table_of(build(tmp_path), "summary").rows
    assert not any("half" in cell.note for cell in cells)


def test_settings_that_differ_beyond_the_names_are_told(tmp_path: Path) -> None:
    for controller, word_size in (("lstm", 8), ("feedforward", 20)):
        fabricate(
            tmp_path, model_settings={"controller": controller, "word_size": word_size}, seed=0
        )
    task = task_of(build(tmp_path))
    assert task.texts()[-1] == (
        "Beyond what their names tell, the runs of ntm differ in word_size "
        "(20 in controller=feedforward; 8 in controller=lstm)."
    )


def test_names_that_tell_all_need_no_note(tmp_path: Path) -> None:
    for controller in ("lstm", "feedforward"):
        fabricate(tmp_path, model_settings={"controller": controller})
    task = task_of(build(tmp_path))
    assert not any("Beyond" in note for note in task.texts())


def test_values_on_different_scales_are_not_sorted_among_each_other(tmp_path: Path) -> None:
    for task in ("copy", "recall"):
        for model in ("ntm", "lstm"):
            fabricate(tmp_path, task, model, tested={6: 1.0})
    report = build(tmp_path)
    summary, scorecard = table_of(report, "summary"), table_of(report, "scorecard")
    assert [[row[0].text for row in body] for body in summary.bodies] == [
        ["copy", "copy"],
        ["recall", "recall"],
    ]
    assert "here" in scorecard.unsorted


def test_only_a_folder_that_is_there_is_linked(tmp_path: Path) -> None:
    fabricate(tmp_path, seed=0)
    gone = fabricate(tmp_path, seed=1)
    results = load_results(tmp_path)
    shutil.rmtree(gone.path)
    task = task_of(build_report(results, tmp_path))
    there, missing = (row[-1] for row in task.seeds[0].table.rows)
    assert (tmp_path / "report" / there.href).resolve().is_dir()
    assert missing.href == ""


def test_an_interquartile_mean_of_zero_says_how_many_are_at_zero(tmp_path: Path) -> None:
    for seed in range(8):
        fabricate(tmp_path, seed=seed, tested={20: 30.0 * (seed > 6)})
    report = build(tmp_path)
    (row,) = table_of(report, "summary").rows
    cell = row[table_of(report, "summary").header.index("wrong bits")]
    assert cell.text == "0"
    assert cell.note.endswith("7 of 8 at zero")


def test_effective_lengths_have_intervals_over_seeds(tmp_path: Path) -> None:
    for seed in range(8):
        far = {20: 1.0, 50: 0.995 if seed else 0.5}
        fabricate(tmp_path, seed=seed, tested={20: 0, 50: 1}, exact=far)
        half = {20: 1.0, 50: 0.995 if seed % 2 else 0.5}
        fabricate(tmp_path, model="lstm", seed=seed, tested={20: 0, 50: 1}, exact=half)
    fabricate(tmp_path, "recall", tested={6: 0})
    report = build(tmp_path)
    copied, halved, recalled = report.tables["summary"].to_dict("records")
    parts = [f"effective_99{part}" for part in ("", "_low", "_high")]
    assert [copied[part] for part in parts] == [50, 50, 50]  # one of eight is no match
    assert [halved[part] for part in parts] == [20, 20, 50]  # no length between them
    assert math.isnan(recalled["effective_99_low"])
    cell = table_of(report, "summary").rows[2][
        table_of(report, "summary").header.index("99% exact to length")
    ]
    assert (cell.text, cell.note) == ("6", "1 run")


def test_controllers_are_missed_one_by_one_and_impossible_pairs_not_at_all(
    tmp_path: Path,
) -> None:
    for task in ("recall", "ngrams"):
        fabricate(tmp_path, task)
    fabricate(tmp_path, "recall", model_settings={"controller": "feedforward"})
    fabricate(tmp_path, "recall", model="seq2seq")
    texts = told(build(tmp_path))
    assert "No runs: ntm with feedforward controller on ngrams." in texts


def test_every_length_says_how_many_runs_are_at_zero(tmp_path: Path) -> None:
    for seed, wrong in enumerate((0.0, 0.0, 0.5)):
        fabricate(tmp_path, seed=seed, tested={20: 0, 50: wrong, 120: 1 + wrong})
    report = build(tmp_path)
    assert report.tables["lengths"]["at_zero"].to_list() == [3, 2, 0]
    tables = task_of(report).tables("Numbers")
    (row, _chance) = tables[
        "Wrong bits per sequence by test length, median and range over seeds"
    ].rows
    assert [cell.note for cell in row[2:]] == ["", "0 to 0.500; 2 of 3 at zero", "1.00 to 1.50"]


def test_costs_tell_what_runs_were_trained_on(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate(tmp_path, seed=seed, train_settings={"sequences": 9000, "attempts": 3})
    report = build(tmp_path)
    (row,) = table_of(report, "costs").rows
    cell = row[table_of(report, "costs").header.index("training sequences")]
    assert (cell.text, cell.note) == ("9,000", "used: 3,000")


def test_what_has_no_figure_is_sorted_last() -> None:
    assert Cell("", rank=math.nan).rank_text == Cell("", rank=math.inf).rank_text == "Infinity"


def test_the_example_is_that_of_the_median_seed(tmp_path: Path) -> None:
    for seed, wrong in enumerate((9, 1, 4)):
        fabricate(tmp_path, seed=seed, tested={20: wrong}, example=wrong / 100)
    fabricate(tmp_path, model="lstm", tested={20: 40}, example=0.3)
    answers, memory = task_of(build(tmp_path)).pictures("One example")
    assert "seed 2: " in answers.svg
    assert "seed 0: " in answers.svg  # the only one of the LSTM
    assert "input" in answers.svg
    assert "ntm, seed 2" in memory.caption
    assert "write weightings" in memory.svg


def test_an_example_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={20: 0}, example=0.0)
    (folder.path / "example.npz").write_bytes(b"PK\x03\x04 and no more")
    task = task_of(build(tmp_path))
    assert task.pictures("One example") == []
    assert "example.npz" in task.texts("One example")[0]


@pytest.mark.usefixtures("illustrated")
def test_errors_by_position_are_medians_over_seeds(tmp_path: Path) -> None:
    for seed, wrong in enumerate((0.0, 1.0, math.nan)):
        fabricate(tmp_path, seed=seed, tested={2: 0}, positions={2: [0.0, wrong]})
    report = build(tmp_path)
    table = report.tables["positions"].set_index("position")
    assert table["median"].to_list() == [0, 1]
    assert table["high"].to_list() == [0, math.inf]
    assert any(picture.file == "copy-positions-2.svg" for picture in task_of(report).pictures())


def test_variations_are_told_in_the_order_of_the_task(tmp_path: Path) -> None:
    wrong = {"20 repeats": 3.5, "100 repeats": 8.0}
    fabricate(tmp_path, "repeat_copy", tested={10: 0}, variations=wrong)
    report = build(tmp_path)
    table = report.tables["variations"]
    assert list(zip(table["variation"], table["errors_median"], strict=True)) == [*wrong.items()]
    assert any(title.startswith("Variations") for title in task_of(report).tables("Numbers"))


@pytest.mark.usefixtures("illustrated")
def test_pictures_follow_the_colours_of_the_page(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0})
    picture = task_of(build(tmp_path)).pictures()[0]
    assert "#0072b2" in picture.svg
    assert "#0072b2" not in picture.element
    assert "var(--series-0)" in picture.element
    assert picture.element.startswith('<svg role="img" aria-label="copy: learning curves')
    assert not re.search(r'\bid="[\w.]+_\d+"', picture.element)


@pytest.mark.usefixtures("illustrated")
def test_pictures_of_one_page_share_no_identifier(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0})
    seen: set[str] = set()
    for picture in build(tmp_path).page.pictures:
        here = set(re.findall(r'\bid="([^"]+)"', picture.element))
        assert not here & seen
        seen |= here


def test_the_latex_table_is_whole_and_escaped(tmp_path: Path) -> None:
    fabricate(tmp_path, task="repeat_copy", tested={10: 0})
    fabricate(tmp_path, task="repeat_copy", model="lstm", errors=[80, 70])
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


@pytest.mark.usefixtures("illustrated")
def test_older_runs_have_a_report_too(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={20: 0})
    status = folder.read_status()
    for key in ("commit", "versions", "ended", "device", "wall_seconds"):
        del status[key]
    folder.write_status(status)
    report = build(tmp_path)
    write_report(report, tmp_path / "report")
    (row,) = table_of(report, "made-with").rows
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
    assert row["errors"] == pytest.approx(5)
    assert json.loads(json.dumps(row["runs"])) == 11


def test_the_method_is_told_of_these_runs_and_of_no_others(tmp_path: Path) -> None:
    fabricate(tmp_path, train_settings={"attempts": 1})
    told_of_copy = " ".join(texts_of(build(tmp_path), "method"))
    assert "attempts" not in told_of_copy
    assert "the oracle must have no wrong bit; the constant" in told_of_copy
    assert "a permutation test" not in told_of_copy
    assert "has on a task is 1 seed." in told_of_copy
    for seed in (0, 1):
        fabricate(tmp_path, "ngrams", "lstm", seed, train_settings={"attempts": 3})
    told_of_both = " ".join(texts_of(build(tmp_path), "method"))
    assert "Several attempts were allowed to lstm on ngrams, and to no other model." in told_of_both
    assert "or, where the optimum itself makes mistakes, a loss within 1%" in told_of_both
    assert "on ngrams, where the optimum makes mistakes itself" in told_of_both
    assert "has on a task is 2 seeds." in told_of_both

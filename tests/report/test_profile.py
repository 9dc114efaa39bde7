"""Profiles: the share of chance's errors that is left, by task and model, and its spread."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ntmbench.evaluation.levels import length_levels
from ntmbench.registry import make_task
from ntmbench.report.page.blocks import Pictures, Tabular
from ntmbench.report.plots.profile import per_cent, plot_profile
from ntmbench.report.sections.profile import blocks, tables
from ntmbench.report.study.study import make_study
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate

#: Wrong bits of chance at these lengths: 8 bits to copy or to sort, half of them right.
NEAR, TWICE = 80.0, 160.0


def measured(results: Path, task: str, model: str, near: list[float], twice: float) -> None:
    """Runs with such shares of chance's wrong bits at 20 and at 40, and none at 30 and 100."""
    for seed, share in enumerate(near):
        tested = {20: share * NEAR, 30: 0.0, 40: twice * TWICE, 100: 0.0}
        fabricate(results, task, model, seed, tested=tested)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    measured(tmp_path, "copy", "ntm", [0.0, 0.1, 0.9], 0.25)
    measured(tmp_path, "copy", "lstm", [0.5], 0.5)
    measured(tmp_path, "sorting", "ntm", [0.25], 1.25)
    measured(tmp_path, "sorting", "lstm", [0.25], 1.0)
    return tmp_path


def table_of(results: Path, name: str) -> pd.DataFrame:
    return tables(make_study(load_results(results), results))[name]


def test_shares_are_those_of_the_median_run(results: Path) -> None:
    table = table_of(results, "profile").set_index(["section", "label"])
    assert list(table["length"].unique()) == [20]
    assert list(table["beyond"].unique()) == [40]
    assert dict(table["share"]) == {
        ("copy", "ntm"): pytest.approx(0.1),
        ("copy", "lstm"): pytest.approx(0.5),
        ("sorting", "ntm"): pytest.approx(0.25),
        ("sorting", "lstm"): pytest.approx(0.25),
    }
    assert table.loc[("sorting", "ntm"), "share_beyond"] == pytest.approx(1.25)
    assert dict(zip(table.index, table["family"], strict=True))["copy", "ntm"] == "reproduce"


def test_spread_is_between_the_best_and_the_worst(results: Path) -> None:
    table = table_of(results, "spread").set_index("section")
    assert list(table.loc["copy", ["best", "worst"]]) == ["ntm", "lstm"]
    assert dict(table["spread"]) == pytest.approx({"copy": 0.4, "sorting": 0.0})
    *_, ranked = blocks(make_study(load_results(results), results))
    assert isinstance(ranked, Tabular)
    assert [row[1].text for row in ranked.table.rows] == ["copy", "sorting"]


def test_zero_is_the_optimum_where_that_errs_itself(tmp_path: Path) -> None:
    optimum = length_levels(make_task("ngrams"), 200, 64).optimum.errors
    chance = 4 * 200  # of fabricated runs
    fabricate(tmp_path, "ngrams", "ntm", 0, tested={200: optimum})
    fabricate(tmp_path, "ngrams", "lstm", 0, tested={200: (optimum + chance) / 2})
    fabricate(tmp_path, "ngrams", "rnn", 0, tested={200: 0.0})
    measured(tmp_path, "copy", "ntm", [0.5], 0.5)
    table = table_of(tmp_path, "profile").set_index("section").loc["ngrams"]
    shares = dict(zip(table["label"], table["share"], strict=True))
    # Less than the optimum is luck on a few sequences.
    assert shares == {"ntm": 0, "lstm": pytest.approx(0.5), "rnn": 0}
    assert table["beyond"].isna().all()
    assert table["share_beyond"].isna().all()


def shown(results: Path) -> list[dict[str, str]]:
    """The rows of the table of all tasks and models, as text by column."""
    _, _, first, *_ = blocks(make_study(load_results(results), results))
    assert isinstance(first, Tabular)
    return [
        dict(zip(first.table.header, (cell.text for cell in row), strict=True))
        for row in first.table.rows
    ]


def test_runs_that_solved_it_are_counted_where_that_is_defined(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", [0.5, 0.5], 0.5)
    fabricate(tmp_path, "ngrams", "ntm", 0, tested={200: 100.0})
    assert {row["task"]: row["solved"] for row in shown(tmp_path)} == {
        "copy": "2 of 2",
        "ngrams": "",
    }


def test_of_two_lengths_that_are_as_near_the_longer_one_is_taken(tmp_path: Path) -> None:
    for task in ("copy", "sorting"):
        fabricate(tmp_path, task, "ntm", 0, tested={20: 0.0, 30: 60.0, 50: 50.0})
    table = table_of(tmp_path, "profile")
    assert list(table["beyond"]) == [50, 50]
    assert list(table["share_beyond"]) == pytest.approx([0.25, 0.25])


def test_models_tested_at_other_lengths_have_no_share(tmp_path: Path) -> None:
    fabricate(tmp_path, "copy", "ntm", 0, tested={20: 40.0, 40: 80.0})
    fabricate(tmp_path, "copy", "lstm", 0, tested={40: 80.0})
    measured(tmp_path, "sorting", "ntm", [0.5], 0.5)
    rows = {(row["task"], row["model"]): row for row in shown(tmp_path)}
    assert rows["copy", "ntm"]["of chance's errors"] == "50%"
    assert rows["copy", "lstm"]["of chance's errors"] == ""
    assert rows["copy", "lstm"]["at a longer length"] == "50%"


def test_errors_that_are_no_numbers_are_infinite(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", [math.nan], 0.5)
    measured(tmp_path, "copy", "lstm", [0.5], 0.5)
    measured(tmp_path, "sorting", "ntm", [0.5], 0.5)
    rows = {(row["task"], row["model"]): row for row in shown(tmp_path)}
    assert rows["copy", "ntm"]["of chance's errors"] == "infinite"
    assert table_of(tmp_path, "spread").empty
    plot_profile(table_of(tmp_path, "profile"))


def test_runs_that_diverged_untested_count_as_infinitely_bad(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", [0.0], 0.0)
    for seed in (1, 2):
        fabricate(tmp_path, "copy", "ntm", seed, state="diverged")
    measured(tmp_path, "sorting", "ntm", [0.0], 0.0)
    rows = {row["task"]: row for row in shown(tmp_path)}
    assert rows["copy"]["of chance's errors"] == "infinite"
    assert rows["copy"]["solved"] == "1 of 3"


def test_families_stand_in_the_order_of_the_gallery(tmp_path: Path) -> None:
    for task in ("t_maze", "sorting", "ngrams", "copy", "key_value"):
        fabricate(tmp_path, task, "ntm", 0, tested={20: 1.0})
    families = ["reproduce", "associate", "order", "predict", "act"]
    assert list(table_of(tmp_path, "profile")["family"]) == families
    assert [row["family"] for row in shown(tmp_path)] == families
    _, _, first, *_ = blocks(make_study(load_results(tmp_path), tmp_path))
    assert isinstance(first, Tabular)
    ranks = [row[0].rank for row in first.table.rows]  # by which a click on the header sorts
    assert ranks == sorted(rank for rank in ranks if rank is not None)


def test_a_single_task_has_no_profile(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", [0.0], 0.0)
    study = make_study(load_results(tmp_path), tmp_path)
    assert not list(blocks(study))
    assert not tables(study)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0"), (0.004, "<1"), (0.01, "1"), (0.101, "11"), (1.0, "100"), (math.nan, "")],
)
def test_shares_are_rounded_up(share: float, told: str) -> None:
    assert per_cent(share) == told


def test_labels_do_not_overlap() -> None:
    labels = ["ntm (controller=lstm, row_heads=1, shift_width=7)", "lstm", "rnn"]
    rows = [("order", task, label, 0.5) for task in ("sorting", "a" * 40) for label in labels]
    figure = plot_profile(pd.DataFrame(rows, columns=["family", "section", "label", "share"]))
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    (axes,) = figure.axes
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [label.get_window_extent() for label in ticks]
        assert all(figure.bbox.contains(*box.min) for box in boxes)
        assert not any(one.overlaps(other) for one, other in pairwise(boxes))


def test_the_picture_names_every_task_and_model(results: Path) -> None:
    study = make_study(load_results(results), results)
    (axes,) = plot_profile(tables(study)["profile"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "reproduce: copy",
        "order: sorting",
    ]
    assert {label.get_text() for label in axes.get_xticklabels()} == {"ntm", "lstm"}
    texts = [text.get_text() for text in axes.texts]
    assert sorted(texts[:2]) == ["10", "50"]  # of copy
    assert sorted(texts[2:]) == ["25", "25"]
    assert any(isinstance(block, Pictures) for block in blocks(study))

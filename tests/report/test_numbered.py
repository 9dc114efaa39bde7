"""Variations of tasks of symbols: the share of right answers, and its curve over their numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ntmbench.plotting.style import looks
from ntmbench.registry import make_task
from ntmbench.report.page.blocks import Pictures, Tabular
from ntmbench.report.plots.numbered import plot_numbered
from ntmbench.report.sections.tasks import blocks, tables
from ntmbench.report.study.lengths import numbered_variations
from ntmbench.report.study.study import Study, make_study
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate

SEQUENCES = 64  # of a fabricated test

#: The share of wrong answers at each sight of a class.
WRONG = {1: 0.75, 2: 0.5, 3: 0.25, 5: 0.0}


def answers_of(sight: int) -> float:
    """Answers of a sequence that count, in the mean over the test."""
    task = make_task("one_shot")
    variation = task.variations[f"sight {sight}"]
    batch = variation.task.test_set(variation.length, SEQUENCES)
    return float(batch.mask.sum()) / SEQUENCES


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two runs, of which the second is wrong half as often."""
    for seed, share in enumerate((1.0, 0.5)):
        wrong = {f"sight {n}": share * of * answers_of(n) for n, of in WRONG.items()}
        fabricate(tmp_path, "one_shot", "lstm", seed, tested={10: 20.0}, variations=wrong)
    fabricate(tmp_path, "copy", "lstm", 0, tested={20: 0.0}, variations={"20 vectors": 1.0})
    return make_study(load_results(tmp_path), tmp_path)


def test_right_answers_are_a_share_of_those_that_count(study: Study) -> None:
    rows = {
        (row["section"], row["variation"]): row
        for row in tables(study)["variations"].to_dict("records")
    }
    for sight, wrong in WRONG.items():
        row = rows["one_shot", f"sight {sight}"]
        assert row["answers"] == pytest.approx(answers_of(sight))
        assert row["right_min"] == pytest.approx(1 - wrong)
        assert row["right_median"] == pytest.approx(1 - 0.75 * wrong)
        assert row["right_max"] == pytest.approx(1 - 0.5 * wrong)
    assert answers_of(5) < answers_of(1)  # a class may be seen less often
    assert pd.isna(rows["copy", "20 vectors"]["right_median"])  # of bits


def test_the_report_tells_right_answers_by_sight(study: Study) -> None:
    shown = {}
    for chapter in blocks(study):
        (shown[chapter.title],) = (
            block.table
            for block in chapter.blocks
            if isinstance(block, Tabular) and block.title.startswith("Variations")
        )
    assert "symbols right" in shown["one_shot"].header
    column = shown["one_shot"].header.index("symbols right")
    assert [row[column].text for row in shown["one_shot"].rows] == [
        "43.7%",
        "62.5%",
        "81.2%",
        "100%",
    ]
    assert shown["copy"].header == [
        *("variation", "model", "runs", "wrong bits", "exact", "chance, wrong bits"),
    ]


@pytest.mark.usefixtures("illustrated")
def test_a_curve_is_drawn_over_numbered_variations(study: Study) -> None:
    files = [
        picture.file
        for chapter in blocks(study)
        for block in chapter.blocks
        if isinstance(block, Pictures)
        for picture in block.pictures
    ]
    assert [file for file in files if "-by-" in file] == ["one-shot-by-sight.svg"]
    table = tables(study)["variations"]
    of_task = table[table["section"] == "one_shot"]
    (axes,) = plot_numbered(
        numbered_variations(of_task)["sight"], looks(["lstm"]), "sight", unit="symbol"
    ).axes
    curve = max(axes.lines, key=lambda line: line.get_zorder())
    assert np.asarray(curve.get_xdata()).tolist() == list(WRONG)
    assert np.asarray(curve.get_ydata()).tolist() == list(of_task["right_median"])
    assert axes.get_xlabel() == "sight"


def test_names_that_differ_in_more_than_a_number_are_no_series() -> None:
    names = ["length 7, hops 6", "1 supporting", "2 supporting", "new", "age of 1 step"]
    table = pd.DataFrame({"variation": names})
    assert not numbered_variations(table)
    more = pd.DataFrame({"variation": [*names, "3 supporting", "3 supporting"]})
    series = numbered_variations(more)
    assert list(series) == ["supporting"]
    assert list(series["supporting"]["number"]) == [1, 2, 3, 3]

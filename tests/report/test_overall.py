"""All tasks together: wrong bits as shares of chance's, over the runs of every task."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ntmbench.report.build import write_report
from tests.fabricated import fabricate
from tests.reporting import build, table_of, texts_of

#: Wrong bits of chance at these lengths: 8 bits to copy or to sort, half of them right.
CHANCE = {"copy": (20, 80.0), "sorting": (20, 80.0)}


def measured(results: Path, task: str, model: str, *shares: float) -> None:
    length, chance = CHANCE[task]
    for seed, share in enumerate(shares):
        fabricate(results, task, model, seed, tested={length: share * chance})


@pytest.mark.slow
def test_runs_of_all_tasks_are_taken_together(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", 0, 0, 0, 0)
    measured(tmp_path, "sorting", "ntm", 0.1, 0.1, 0.2, 0.2)
    measured(tmp_path, "copy", "lstm", 0.5, 0.5)
    measured(tmp_path, "sorting", "lstm", 0.5, 0.5)
    table = build(tmp_path).tables["overall"].set_index("label")
    assert list(table["tasks"].unique()) == ["copy, sorting"]
    assert list(table["runs"]) == [8, 4]
    # Of copy 0, of sorting 0.15, and each task counts alike.
    assert table.loc["ntm", "share"] == pytest.approx(0.075)
    # Within copy there is no spread; of sorting's runs all may be 0.1, or all 0.2.
    assert table.loc["ntm", "share_low"] == pytest.approx(0.05)
    assert table.loc["ntm", "share_high"] == pytest.approx(0.1)
    lstm = table.loc["lstm", ["share", "share_low", "share_high"]]
    assert list(lstm) == pytest.approx([0.5] * 3)


def test_models_that_lack_a_task_are_left_out(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", 0, 0.1)
    measured(tmp_path, "sorting", "ntm", 0, 0.1)
    measured(tmp_path, "copy", "lstm", 0, 0)
    report = build(tmp_path)
    assert list(report.tables["overall"]["label"]) == ["ntm"]
    assert table_of(report, "overall").rows[0][0].text == "ntm"
    assert "Over copy, sorting:" in texts_of(report, "overall")[0]


def test_single_runs_have_no_interval_and_what_is_not_finite_is_told(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", 0.25)
    measured(tmp_path, "sorting", "ntm", 0.25)
    measured(tmp_path, "copy", "lstm", math.nan, 0.5)
    measured(tmp_path, "sorting", "lstm", 0.5, 0.5)
    rows = table_of(build(tmp_path), "overall").rows
    assert [(row[-1].text, row[-1].note) for row in rows] == [
        ("25%", "1 run of each"),
        ("infinite", "50% to infinite"),
    ]


def test_controls_and_tasks_without_a_right_answer_do_not_count(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", 0, 0.1)
    measured(tmp_path, "sorting", "oracle", 0)
    fabricate(tmp_path, "ngrams", tested={200: 50})
    report = build(tmp_path)
    assert report.tables["overall"].empty
    assert "overall" not in [chapter.anchor for chapter in report.page.chapters]
    page = write_report(report, tmp_path / "report")
    assert "All tasks together" not in page.read_text(encoding="utf-8")


def test_the_report_shows_it_in_both_forms(tmp_path: Path) -> None:
    measured(tmp_path, "copy", "ntm", 0.25, 0.25)
    measured(tmp_path, "sorting", "ntm", 0.25, 0.25)
    page = write_report(build(tmp_path), tmp_path / "report")
    for file in (page, page.with_name("report.md")):
        text = file.read_text(encoding="utf-8")
        assert "All tasks together" in text
        assert "25%" in text

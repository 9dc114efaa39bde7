"""Runs of earlier versions, which knew bits alone, are read, reported and drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntmbench.plotting.example import read_example
from ntmbench.registry import make_task
from ntmbench.report.build import Report
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.pictures import plot_run
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate, make_old
from tests.reporting import build, table_of, task_of


def fabricate_two(results: Path) -> list[RunFolder]:
    return [
        fabricate(
            results,
            model=model,
            tested={20: wrong, 120: 300},
            positions={20: [wrong / 20] * 20},
            variations={"reversed": wrong},
            example=0.1,
        )
        for model, wrong in (("ntm", 0.0), ("lstm", 40.0))
    ]


@pytest.fixture
def old(tmp_path: Path) -> list[RunFolder]:
    folders = fabricate_two(tmp_path / "old")
    for folder in folders:
        make_old(folder)
    return folders


def drawn(report: Report) -> list[tuple[str, str]]:
    return [(picture.file, picture.caption) for picture in report.page.pictures]


def test_old_runs_are_as_they_were_written(old: list[RunFolder]) -> None:
    """The test is worth nothing if its folders have today's form."""
    for folder in old:
        for path in (folder.metrics, folder.positions, folder.evaluation, folder.variations):
            header = path.read_text().splitlines()[0].split(",")
            assert "wrong_bits" in header
            assert "errors" not in header
        assert not {"unit", "lengths", "state_floats"} & set(folder.read_status())


def test_old_runs_are_read(old: list[RunFolder]) -> None:
    results = load_results(old[0].path.parent)
    assert not results.unreadable
    assert results.runs["unit"].to_list() == ["bit", "bit"]
    assert results.evaluation["errors"].to_list() == [40, 300, 0, 300]
    assert results.runs["state_floats"].isna().all()


@pytest.mark.slow
@pytest.mark.usefixtures("illustrated")
def test_old_runs_are_reported_like_those_of_today(old: list[RunFolder], tmp_path: Path) -> None:
    fabricate_two(tmp_path / "new")
    before, now = build(tmp_path / "old"), build(tmp_path / "new")
    for name in ("lengths", "variations", "curves", "survival", "positions", "comparisons"):
        assert before.tables[name].equals(now.tables[name]), name
    assert table_of(before, "summary").rows == table_of(now, "summary").rows
    assert drawn(before) == drawn(now)
    assert "write weightings" in task_of(before).pictures("One example")[-1].svg
    states = [
        row[table_of(report, "costs").header.index("state")].text
        for report in (before, now)
        for row in table_of(report, "costs").rows
    ]
    assert states == ["", "", "1,200", "1,200"]


def test_old_runs_are_drawn(old: list[RunFolder]) -> None:
    task = make_task("copy")
    pictures = [[path.stem for path in plot_run(folder, task)] for folder in old]
    assert pictures == [
        ["learning_curve", "generalisation", "example", "memory"],
        ["learning_curve", "generalisation", "example"],
    ]
    length, example, memory = read_example(old[0].example)
    assert (length, example.kind, example.counted) == (20, "bits", 160)
    assert [panel.title for panel in memory] == [
        "adds",
        "reads",
        "write weightings",
        "read weightings",
    ]

"""Errors are wrong bits, symbols or numbers: whatever the answers of a task are made of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ntmbench import registry
from ntmbench.evaluation.levels import length_levels, validation_levels
from ntmbench.plotting.wording import axis, score
from ntmbench.registry import make_task
from ntmbench.report.build import Report, write_report
from ntmbench.runs.pictures import plot_run
from ntmbench.task import Task
from tests.fabricated import fabricate
from tests.recited import Recited
from tests.reporting import build, chapter, table_of, tasks_of, texts_of


@pytest.fixture
def recited(monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task of real answers, installed for as long as the test lasts."""
    registry.load_plugins()
    monkeypatch.setitem(registry._tasks, "recited", Recited)
    return make_task("recited")


def everything_told(report: Report, folder: Path) -> str:
    """Page and Markdown, without the notes on how the page is made."""
    write_report(report, folder)
    return (folder / "index.html").read_text() + (folder / "report.md").read_text()


def test_the_levels_of_symbols_are_perfect_and_chance() -> None:
    task = make_task("key_value", values=8, min_length=5, max_length=5)
    levels = validation_levels(task, 640)
    assert levels.solvable
    assert 0 <= levels.optimum.loss_bits < 1e-6
    assert levels.chance.errors == pytest.approx(task.chance(5).errors, rel=0.02)
    assert levels.chance.loss_bits == pytest.approx(15, rel=0.01)  # five symbols of three bits


def test_the_levels_of_numbers_are_perfect_and_chance() -> None:
    task = Recited()
    levels = length_levels(task, 6, 2048)
    assert levels.solvable
    assert levels.optimum.loss_bits == 0
    chance = task.chance(6)
    assert levels.chance.errors == pytest.approx(chance.errors, rel=0.03)
    assert levels.chance.loss_bits == pytest.approx(chance.loss_bits, rel=0.03)


def test_scores_go_by_the_unit_of_the_answer() -> None:
    assert [axis(name, "symbol") for name in ("errors", "loss_bits", "exact_match")] == [
        "wrong symbols per sequence",
        "loss bits per sequence",
        "sequences without a wrong symbol",
    ]
    assert [score(name, None) for name in ("errors", "exact_match")] == [
        "errors",
        "sequences without an error",
    ]


def symbols_beside_bits(results: Path) -> Report:
    for seed in (0, 1):
        for model, wrong in (("ntm", 2.0), ("lstm", 40.0)):
            fabricate(
                results,
                model=model,
                seed=seed,
                tested={20: wrong + seed, 30: 50},
                positions={20: [2.0] * 20},
                example=0.1,
            )
            fabricate(
                results,
                "key_value",
                model,
                seed,
                errors=(4, 2, 1, 1),
                tested={8: wrong / 10 + seed, 16: 7},
                positions={8: [0.25] * 8},
                example=0.4,
            )
    return build(results)


@pytest.mark.slow
def test_a_table_over_tasks_of_several_units_tells_the_unit_of_each_row(tmp_path: Path) -> None:
    report = symbols_beside_bits(tmp_path)
    summary = table_of(report, "summary")
    place = summary.header.index("errors")
    assert [row[place].text for row in summary.rows] == [
        "2.50 bits",
        "40.5 bits",
        "0.700 symbols",
        "4.50 symbols",
    ]
    assert texts_of(report, "summary")[0].endswith(
        "Errors are wrong bits on copy; wrong symbols on key_value."
    )
    assert report.tables["summary"]["unit"].to_list() == ["bit", "bit", "symbol", "symbol"]
    for name in ("summary", "lengths", "comparisons"):
        units = report.tables[name].groupby("section")["unit"].unique()
        assert {task: list(unit) for task, unit in units.items()} == {
            "copy": ["bit"],
            "key_value": ["symbol"],
        }
    assert table_of(report, "overall").header[-1] == "errors, of chance's"
    method = " ".join(texts_of(report, "method"))
    assert "fewer than 0.1 errors per sequence" in method
    assert "Wrong bits are thresholded" in method
    assert "A symbol is wrong where" in method
    assert r"0.700 symbols" in report.latex


@pytest.mark.slow
@pytest.mark.usefixtures("illustrated")
def test_what_is_told_of_a_task_has_its_own_unit(tmp_path: Path) -> None:
    copy, key_value = tasks_of(symbols_beside_bits(tmp_path))
    for task, own, other in ((copy, "bit", "symbol"), (key_value, "symbol", "bit")):
        titles = [picture.alt for picture in task.pictures()]
        assert f"{task.label}: learning curves, wrong {own}s" in titles
        drawn = " ".join(picture.svg for picture in task.pictures())
        told = " ".join([*titles, *task.tables("Numbers"), *task.texts("Models compared"), drawn])
        assert f"wrong {own}s per sequence" in told
        assert f"without a wrong {own}" in told
        assert f"wrong {own}s at each step" in told
        assert f"wrong {other}" not in told
        (compared,) = task.tables("Models compared").values()
        assert compared.header[2] == f"wrong {own}s, difference"
        assert f"wrong {own}s" in task.seeds[0].table.header
    assert "4 symbols of the answer count." in key_value.pictures("One example")[0].caption


def test_a_report_on_symbols_alone_does_not_speak_of_wrong_bits(tmp_path: Path) -> None:
    fabricate(tmp_path, "key_value", tested={8: 1}, example=0.4)
    fabricate(tmp_path, "key_value", "oracle", tested={8: 0.5})
    report = build(tmp_path)
    assert "wrong symbols" in table_of(report, "summary").header
    assert "0.500 wrong symbols; it must have none." in str(table_of(report, "controls").rows)
    assert not re.search("wrong bit", everything_told(report, tmp_path / "report"), re.IGNORECASE)


@pytest.mark.usefixtures("illustrated")
def test_a_report_on_numbers_alone_speaks_of_wrong_numbers(tmp_path: Path, recited: Task) -> None:
    folder = fabricate(tmp_path, "recited", "reciter", tested={6: 1, 12: 6}, example=0.4)
    report = build(tmp_path)
    assert "wrong numbers" in table_of(report, "summary").header
    assert "A number is wrong where" in " ".join(texts_of(report, "method"))
    assert not re.search("wrong bit", everything_told(report, tmp_path / "report"), re.IGNORECASE)
    (task,) = tasks_of(report)
    assert "6 numbers of the answer count." in task.pictures("One example")[0].caption
    assert len(plot_run(folder, recited)) == 3


def test_a_task_that_is_not_installed_has_the_unit_that_its_runs_recorded(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, "key_value", tested={8: 1})
    status = folder.read_status()
    status["settings"]["task"] = {"name": "juggling", "version": 1, "balls": 3}
    folder.write_status(status)
    assert "wrong symbols" in table_of(build(tmp_path), "summary").header


def test_the_literature_is_told_for_tasks_that_were_run(tmp_path: Path) -> None:
    fabricate(tmp_path, "key_value", tested={8: 1})
    assert "scorecard" not in {shown.anchor for shown in build(tmp_path).page.chapters}
    fabricate(tmp_path, tested={120: 0, 20: 0})
    report = build(tmp_path)
    rows = table_of(report, "scorecard").rows
    assert {row[0].text for row in rows} == {"copy"}
    assert set(report.tables["scorecard"]["task"]) > {"copy"}
    (told,) = (row for row in rows if row[4].text == "0.0% wrong at length 120")
    assert (told[2].text, told[5].text) == ("wrong bits at 120", "± 0.05 bits")
    assert chapter(report, "scorecard").title == "Beside the literature"

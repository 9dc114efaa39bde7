"""The section on searches: what finding the settings took, beside who notes no search."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest

from ntmbench.report.build import Report, write_report
from ntmbench.report.page.blocks import Cell, Tabular
from tests.fabricated import SEARCH, fabricate
from tests.reporting import build, chapter


def rows_of(report: Report) -> list[dict[str, Cell]]:
    table = next(b for b in chapter(report, "searches").blocks if isinstance(b, Tabular)).table
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


def noting(results: Path, seed: int = 0, **changed: Any) -> None:
    fabricate(results, model="lstm", seed=seed, searches={"grid": {**SEARCH, **changed}})


def test_a_search_is_told_with_its_budget_and_its_command(tmp_path: Path) -> None:
    noting(tmp_path, pruned=3)
    noting(tmp_path, seed=1, pruned=3)
    fabricate(tmp_path)
    fabricate(tmp_path, model="oracle")  # a control, which has no settings to search for
    report = build(tmp_path)
    ntm, lstm = rows_of(report)
    assert {name: cell.text for name, cell in lstm.items()} == {
        "task": "copy",
        "model": "lstm",
        "runs": "2",
        "search": "grid",
        "trials": "5",
        "sequences a trial": "3,000",
        "seeds": "101, 102",
        "sequences in all": "30,000",
        "settings found": "train.learning_rate=0.01",
    }
    assert lstm["trials"].note == "3 pruned"
    assert lstm["search"].note == "ended 2025-01-01"
    assert [ntm[name].text for name in ("model", "runs", "search")] == ["ntm", "1", "none noted"]
    shown = chapter(report, "searches").blocks[-1]
    assert isinstance(shown, Tabular)
    ((search, command),) = shown.table.rows
    assert (search.text, command.code) == ("grid", SEARCH["command"])
    table = report.tables["searches"]
    assert table["label"].to_list() == ["ntm", "lstm"]
    assert table["search"].isna().to_list() == [True, False]
    assert table["trials"].to_list()[1] == 5


def test_a_command_is_shown_as_it_is(tmp_path: Path) -> None:
    noting(tmp_path, command="python -m ntmbench.search task=copy 'results_dir=a|b' <x_y>")
    page = write_report(build(tmp_path), tmp_path / "report")
    told = "python -m ntmbench.search task=copy 'results_dir=a{}b' <x_y>"
    assert f"<code>{told.format('|')}</code>" in html.unescape(page.read_text())
    markdown = page.with_name("report.md").read_text()
    assert f"| grid |  ` {told.format(chr(92) + '|')} ` |" in markdown


def test_seeds_that_note_different_searches_are_told_apart(tmp_path: Path) -> None:
    noting(tmp_path)
    noting(tmp_path, seed=1, trials=50)
    fabricate(tmp_path, model="lstm", seed=2)
    told = [(row["runs"].text, row["trials"].text) for row in rows_of(build(tmp_path))]
    assert told == [("1", "5"), ("1", "50"), ("1", "")]


@pytest.mark.parametrize(
    ("changed", "column", "text", "note"),
    [
        ({"seeds": [0, 101]}, "seeds", "0, 101", "reported too: 0"),
        ({"sequences": {"recall": 9}}, "sequences a trial", "other tasks", ""),
        ({"sequences": {"copy": 9, "recall": 9}}, "sequences in all", "30,000", "on 2 tasks"),
        (
            {"found": {"train.learning_rate": 0.01, "model.layers": 9}},
            "settings found",
            "train.learning_rate=0.01",
            "not as found: model.layers",
        ),
    ],
)
def test_what_a_reader_must_know_is_noted(
    tmp_path: Path, changed: dict[str, Any], column: str, text: str, note: str
) -> None:
    noting(tmp_path, **changed)
    (row,) = rows_of(build(tmp_path))
    assert (row[column].text, row[column].note) == (text, note)


def test_values_that_no_run_has_are_no_ones(tmp_path: Path) -> None:
    noting(tmp_path, found={"train.learning_rate": 3e-4, "model.gates": 3})
    report = build(tmp_path)
    assert "searches" not in [chapter.anchor for chapter in report.page.chapters]
    assert "searches" not in report.tables

"""How long a sweep will take: its cells, counted and timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntmbench.bench import hours
from tests.conftest import TINY

CELL = ("task=copy,reverse", *TINY[:1], *TINY[2:7])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_cells_that_differ_in_their_seeds_are_timed_once(folder: Path) -> None:
    told: list[str] = []
    table = hours.measure([*CELL, "seed=0,1,2"], told.append)
    assert list(table["task"]) == ["copy", "reverse"]
    assert list(table["runs"]) == [3, 3]
    assert len(told) == 2
    in_hours = table["runs"] * table["minutes_per_run"] / 60
    assert table["hours"].to_numpy() == pytest.approx(in_hours.to_numpy())
    assert (table["training_minutes"] > 0).all()
    assert (table["training_minutes"] < table["minutes_per_run"]).all()
    assert not list(folder.iterdir())


def test_more_sequences_take_longer_in_proportion() -> None:
    short, long = (
        hours.measure([*CELL, "task=copy", f"train.sequences={count}"]).iloc[0]
        for count in (1600, 160_000)
    )
    of_a_step = short["ms_per_step"] / long["ms_per_step"]
    ratio = short["training_minutes"] / long["training_minutes"] / of_a_step
    assert ratio == pytest.approx(1 / 100)


def test_an_experiment_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "estimate", lambda config: hours.Estimate(3600, 0, 0))
    table = hours.measure(["+experiment=core", "model=lstm", "seed=0,1", "task=copy,parity"])
    assert list(table["runs"]) == [2, 2]
    assert table["hours"].sum() == pytest.approx(4)
    campaign = hours.measure(["+experiment=reference", "task=copy", "seed=0"])
    assert {"ntm", "lstm", "seq2seq", "oracle"} <= set(campaign["model"])


def test_the_hours_are_those_of_all_workers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hours, "estimate", lambda config: hours.Estimate(3000, 300, 300))
    assert hours.main([*CELL, "seed=0,1", "--workers", "2"]) == 0
    assert "4 runs, 4.0 hours of one core, 2.0 hours with 2." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["task=copi", "model=ntm"], "Did you mean 'copy'?"),
        (["task=copy", "model=ntm", "model.memory_slot=3"], "memory_slots"),
        (["task=copy", "model=ntm", "--workers", "0"], "Allowed: 1 or more."),
    ],
)
def test_wrong_input_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert hours.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("ntmbench: ")
    assert told in said
    assert said.count("\n") == 1

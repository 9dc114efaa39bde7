"""How long a sweep will take: its cells, counted and timed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from hydra import compose
from torch import nn

from ntmbench.bench import hours
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.runs.settings import RunConfig
from ntmbench.training.interruption import Interrupted
from ntmbench.training.observer import Observer
from ntmbench.training.settings import TrainSettings
from tests.conftest import TINY

CELL = (
    "task=copy,reverse",
    "model=lstm",
    "model.hidden_size=8",
    "task.max_length=3",
    *(argument for argument in TINY if argument.startswith("train")),
    "evaluation.sequences=16",
)
#: Seconds of a step, a validation, and a test of one sequence at one length.
STEP, VALIDATION, TEST = 0.01, 0.5, 0.002


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Pretended:
    """A training and a test that take known times by a clock of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.steps: list[int] = []
        for name in ("train", "evaluate", "evaluate_variations"):
            monkeypatch.setattr(hours, name, getattr(self, name))

    def train(
        self, model: Any, task: Any, settings: TrainSettings, *, observer: Observer, **others: Any
    ) -> None:
        self.now += 100  # of drawing, compilation and a first validation
        observer.validated([], selected=True)
        self.steps.append(settings.steps)
        for step in range(settings.steps):
            self.now += STEP
            observer.stepped(step, float)
        self.now += VALIDATION
        observer.validated([], selected=True)

    def evaluate(
        self, model: Any, task: Any, *, lengths: Sequence[int] | None, sequences: int
    ) -> None:
        self.now += TEST * sequences * len(lengths or task.test_lengths)

    def evaluate_variations(self, model: Any, task: Any, *, sequences: int) -> None:
        self.now += TEST * sequences * len(task.variations)


def config(*overrides: str) -> RunConfig:
    with composing():
        return to_run_config(compose("config", [*overrides]))


@pytest.mark.parametrize(("task", "varied"), [("copy", False), ("brackets", True)])
def test_what_takes_time_is_multiplied(
    monkeypatch: pytest.MonkeyPatch, task: str, varied: bool
) -> None:
    pretended = Pretended(monkeypatch)
    run = config(
        f"task={task}", "model=lstm", "model.hidden_size=8", "train.sequences=1000",
        "train.batch_size=3", "train.validate_every=100", "evaluation.sequences=640",
        "evaluation.lengths=[5,9]",
    )  # fmt: skip
    found = hours.estimate(run, lambda: pretended.now)
    assert pretended.steps == [4, 200]  # two seconds of 0.01 each
    assert found.training == pytest.approx(334 * STEP)
    assert found.validation == pytest.approx((1 + 10) * VALIDATION)  # every 34 steps, and the first
    of_task = len(run.task.variations)
    assert bool(of_task) == varied
    assert found.test == pytest.approx(640 * (2 + of_task) * TEST)
    assert found.seconds == pytest.approx(found.training + found.validation + found.test)


def test_a_run_is_timed_with_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    pretended, seen = Pretended(monkeypatch), list[int]()

    def check_possible(config: RunConfig) -> nn.Module:
        seen.append(torch.get_num_threads())
        return nn.Linear(1, 1)

    monkeypatch.setattr(hours, "check_possible", check_possible)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        hours.estimate(config("task=copy", "model=lstm", "threads=1"), lambda: pretended.now)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1]


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


def test_a_training_that_diverges_is_timed_all_the_same() -> None:
    wild = ("train.learning_rate=1e38", "train.optimizer=adam", "train.patience=1")
    table = hours.measure([*CELL, "task=copy", *wild])
    assert (table["ms_per_step"] > 0).all()


def test_an_experiment_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "estimate", lambda config: hours.Estimate(3600, 0, 0))
    table = hours.measure(["+experiment=core", "model=lstm", "seed=0,1", "task=copy,parity"])
    assert list(table["runs"]) == [2, 2]
    assert table["hours"].sum() == pytest.approx(4)


def test_a_campaign_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "estimate", lambda config: hours.Estimate(3600, 0, 0))
    one = ("task=copy", "train.learning_rate=1e-3")
    campaign = hours.measure(["+experiment=learning_rates", *one])
    assert sorted(campaign["model"]) == ["lstm", "seq2seq"]


def test_the_table_tells_kinds_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(hours, "estimate", lambda config: hours.Estimate(3000, 300, 300))
    assert hours.main([*CELL, "task=copy", "task.bits=4,8", "seed=0,1", "--workers", "2"]) == 0
    said = capsys.readouterr().out
    assert "task.bits=4" in said
    assert "task.bits=8" in said
    assert "4 runs: 4.0 hours one after the other, 2.0 with 2 workers." in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["task=copi", "model=ntm"], "Did you mean 'copy'?"),
        (["task=copy", "model=ntm", "model.memory_slot=3"], "memory_slots"),
        (["task=copy", "model=ntm", "--workers", "0"], "Allowed: 1 or more."),
        (["task=copy", "model=lstm", "hydra/sweeper=basic"], "Allowed: without hydra/sweeper."),
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


def test_an_interruption_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: Any) -> pd.DataFrame:
        raise Interrupted(2)

    monkeypatch.setattr(hours, "measure", interrupted)
    assert hours.main([*CELL]) == 130
    assert capsys.readouterr().err == "ntmbench: interrupted.\n"

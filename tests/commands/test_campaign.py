"""Campaigns: several sweeps by one command, and their interruption."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ntmbench.commands import campaign
from ntmbench.runs.results import load_results
from ntmbench.training.interruption import interrupted_by_sigterm
from tests.conftest import Ended, command

CONF = Path(__file__).parents[2] / "conf"
TINY = [
    *("task=recall", "seed=0", "train.sequences=64", "train.batch_size=4"),
    *("train.validate_every=16", "train.validation_sequences=32", "train.selection_sequences=16"),
    *("evaluation.sequences=16", "evaluation.lengths=[6]"),
]


@pytest.mark.slow
def test_every_experiment_of_a_folder_runs(tmp_path: Path) -> None:
    """At such a rate both models diverge."""
    wild = ("train.learning_rate=1e38", "train.patience=1", "results_dir=mine")
    ended = command("-m", "+experiment=learning_rates", *TINY, *wild, folder=tmp_path)
    assert (ended.code, ended.err) == (1, "")
    experiments = list((CONF / "experiment" / "learning_rates").glob("*.yaml"))
    assert ended.out.count("sweep.csv") == len(experiments) == 2
    runs = load_results(tmp_path / "mine").runs
    assert dict(zip(runs["model"], runs["state"], strict=True)) == {
        "lstm": "diverged",
        "seq2seq": "diverged",
    }


@pytest.mark.parametrize("options", [[], ["-m", "--cfg", "job"], ["--cfg", "job"]])
def test_a_campaign_is_refused_without_the_option_for_sweeps_alone(
    ntmbench: Callable[..., Ended], tmp_path: Path, options: list[str]
) -> None:
    ended = ntmbench("+experiment=reference", *options)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    wrong = "+experiment=reference is a campaign of sweeps. Allowed: with the option -m alone."
    assert wrong in ended.err
    assert not list(tmp_path.iterdir())


SWEEP = """\
import pathlib, signal, sys, time

def end(number, frame):
    with open("told", "a") as told:
        print(number, file=told)
    time.sleep(0.3)
    pathlib.Path("saved").touch()
    sys.exit(128 + number)

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
with open("started", "a") as started:
    print("started", file=started)
while True:
    time.sleep(10)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reaches_the_sweep_once_and_waits_for_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sweep.py").write_text(SWEEP)
    Path("python").write_text(f"#!/bin/sh\nexec {sys.executable} sweep.py\n")
    Path("python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", "./python")

    def interrupt() -> None:
        deadline = time.monotonic() + 60
        while not Path("started").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=interrupt)
    with interrupted_by_sigterm():
        sender.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                campaign.run_in_turn([[], []])
        finally:
            sender.join()
    assert Path("told").read_text() == f"{int(number)}\n"
    assert Path("saved").exists()
    assert Path("started").read_text() == "started\n"


def test_the_sweeps_after_a_failed_one_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("python").write_text("#!/bin/sh\necho ran >> told\n[ $(wc -l < told) != 1 ]\n")
    Path("python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", "./python")
    assert campaign.run_in_turn([[], [], []]) == 1
    assert Path("told").read_text() == "ran\n" * 3


def test_a_sweep_that_a_signal_killed_is_told_as_a_shell_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert campaign.run_in_turn([[], []]) == 128 + signal.SIGKILL

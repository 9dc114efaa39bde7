"""Fixtures: the command line in this process and in one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from ntmbench.commands import application
from ntmbench.runs import pictures

# A shell that starts the tests in the background makes them ignore Ctrl-C, which some tests send.
# Processes that they start inherit the setting made here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A run of about a second, to which a test adds its own settings.
TINY = (
    "model=lstm",
    "model.hidden_size=8",
    "task.max_length=3",
    "train.sequences=64",
    "train.batch_size=4",
    "train.validate_every=16",
    "train.validation_sequences=32",
    "train.selection_sequences=16",
    "evaluation.sequences=16",
    "evaluation.lengths=[3,5]",
)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out a run's pictures, which take most of a tiny run's time."""
    monkeypatch.setattr(pictures, "plot_run", lambda *arguments: [])


@pytest.fixture
def ntmbench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run `python -m ntmbench ...` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["ntmbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            application.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


def command(*arguments: str, folder: Path, **environment: str) -> Ended:
    """Run `python -m ntmbench ...` in a process of its own, in ``folder``."""
    ended = subprocess.run(
        [sys.executable, "-m", "ntmbench", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)

"""Fixtures: the command line in this process and in one of its own."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ntmbench.runs.folder import RunFolder

# Each test imports what it needs where it needs it: the process that hands tests to its workers
# reads this file too, and would load PyTorch before the first of them starts.

# A shell that starts the tests in the background makes them ignore Ctrl-C, which some tests send.
# Processes that they start inherit the setting made here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nothing of what is imported is garbage. To look through it often takes a tenth of the time.
gc.set_threshold(50_000, 20, 100)

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
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out a run's pictures, which take most of a tiny run's time."""
    from ntmbench.runs import pictures

    monkeypatch.setattr(pictures, "plot_run", lambda *arguments: [])


@pytest.fixture
def ntmbench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run `python -m ntmbench ...` in this process, in an empty folder."""
    from ntmbench.commands import application

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["ntmbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            application.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture(scope="session")
def _tiny_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folder of TINY, run once for all tests."""
    from ntmbench.commands import application
    from ntmbench.runs import pictures

    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setattr(pictures, "plot_run", lambda *arguments: [])
        patched.setattr(sys, "argv", ["ntmbench", *TINY, "device=cpu"])
        with pytest.raises(SystemExit) as ended:
            application.main()
    assert not ended.value.code
    return folder / "results"


@pytest.fixture
def tiny_run(_tiny_results: Path, tmp_path: Path) -> RunFolder:
    """TINY's finished run without pictures, in a copy of its results that is the test's own."""
    from ntmbench.runs.folder import RunFolder

    shutil.copytree(_tiny_results, tmp_path / "results")
    (run,) = (tmp_path / "results" / "runs").iterdir()
    return RunFolder(run)


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

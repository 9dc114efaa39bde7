"""A search by workers that a launcher starts: what is refused, and joblib's processes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

pytest.importorskip("optuna", reason="needs the extra 'search'")
pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra 'parallel'")

from optuna.trial import TrialState

from ntmbench.errors import SettingError
from ntmbench.search import launching, lingering
from ntmbench.search.arguments import search_from
from ntmbench.search.study import SharedStudy
from ntmbench.training.interruption import interrupted_by_sigterm
from tests.clusters.ray_nodes import Node
from tests.clusters.sweeping import started
from tests.search.searching import MODULE, SEARCH, checkpoints, claimed, states

JOBLIB = "hydra/launcher=joblib"
#: Seconds that anything may take.
PATIENCE = 120

Start = Callable[..., subprocess.Popen[str]]

#: A model of the user's own, which ends the first worker that makes it.
MODEL = """
import multiprocessing, os, signal
from torch import nn

class Mine(nn.Module):
    def __init__(self, input_width, output_width):
        super().__init__()
        if multiprocessing.current_process().name != "MainProcess":
            try:
                open("killed", "x").close()
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        self.output = nn.Linear(input_width, output_width)

    def forward(self, inputs):
        return self.output(inputs)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a search in the test's folder; no process of it outlives the test."""
    drivers: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        drivers.append(
            started(*arguments, folder=folder, environment={}, module=MODULE, new_session=True)
        )
        return drivers[-1]

    yield start
    for driver in drivers:
        with suppress(ProcessLookupError):
            os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()


@pytest.mark.parametrize(
    ("arguments", "told", "allowed"),
    [
        (["hydra.launcher.n_jobs=4"], "hydra.launcher.n_jobs=4 is not for", "search.workers"),
        (["hydra.launcher.n_job=4"], "hydra.launcher.n_job=4 is", "Did you mean 'n_jobs'?"),
        (["~hydra/launcher"], "~hydra/launcher is not for a search", "hydra/launcher"),
    ],
)
def test_settings_of_a_launcher_are_refused_in_one_line(
    folder: Path, arguments: list[str], told: str, allowed: str
) -> None:
    with pytest.raises(SettingError) as refused:
        search_from([*SEARCH, JOBLIB, "search.workers=2", *arguments])
    assert told in str(refused.value)
    assert allowed in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not list(folder.iterdir())


def test_it_is_the_same_search_whatever_runs_it(folder: Path) -> None:
    alone = search_from([*SEARCH, "search.trials=2"])
    launched = search_from([*SEARCH, "search.trials=2", JOBLIB, "search.workers=2"])
    first = SharedStudy(alone)
    assert SharedStudy(launched).trials() == first.trials()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("state", "launches"), [("running", 3), ("failed", 1)])
def test_it_ends_when_no_worker_is_left(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    launches: int,
) -> None:
    search = search_from([*SEARCH, "search.trials=8", JOBLIB, "search.workers=2"])
    assert search.launcher is not None
    asked: list[int] = []

    def lost(search: Any, launcher: Any, count: int, *others: Any) -> Sequence[Any]:
        asked.append(count)
        return [{"state": state, "reason": None}] * count

    monkeypatch.setattr(launching, "_launched", lost)
    assert not launching.run_workers(SharedStudy(search), search, search.launcher, Console())
    assert asked == [2] * launches
    assert capsys.readouterr().out.count("its process ended.") == 2 * launches


@pytest.mark.usefixtures("folder")
def test_workers_that_wait_are_taken_back_when_all_trials_have_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    search = search_from([*SEARCH, "search.trials=1", JOBLIB, "search.workers=2"])
    assert search.launcher is not None
    study = SharedStudy(search)

    def wait_in_a_queue(*arguments: Any) -> Sequence[Any]:
        trial = study.claim()
        assert trial is not None
        study.study.tell(trial, 1.0)
        time.sleep(PATIENCE)
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr(launching, "_launched", wait_in_a_queue)
    for seconds in ("LOOK", "LINGER"):
        monkeypatch.setattr(lingering, seconds, 0.01)
    with interrupted_by_sigterm():
        assert launching.run_workers(study, search, search.launcher, Console())
    assert "workers that still wait are taken back" in capsys.readouterr().out


@pytest.mark.slow
def test_two_processes_run_as_many_trials_as_are_asked_for(start: Start, folder: Path) -> None:
    driver = start(*SEARCH, "search.trials=8", JOBLIB, "search.workers=2")
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, said
    assert claimed(said) == list(range(8))
    assert len(states(folder)) == 8
    assert set(states(folder)) <= {"finished", "pruned"}
    assert "Recipe: results/searches/found/recipe/found.yaml" in said
    assert not list(folder.glob("results/searches/found/launched-*"))


@pytest.mark.slow
def test_the_search_goes_on_after_a_worker_was_killed(start: Start, folder: Path) -> None:
    (folder / "mine.py").write_text(MODEL)
    models = ("model=custom", "model.target=mine:Mine")
    search = [setting for setting in SEARCH if not setting.startswith("model")]
    driver = start(*search, *models, "search.trials=4", JOBLIB, "search.workers=2")
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, said
    assert "TerminatedWorkerError" in said
    assert "was lost: its process ended." in said
    ended = [state for state in states(folder) if state != "interrupted"]
    assert len(ended) == 4
    assert 1 <= len(states(folder)) - len(ended) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [False, True])
def test_ctrl_c_gives_all_trials_back(start: Start, folder: Path, whole_group: bool) -> None:
    """A terminal sends it to the workers too."""
    arguments = (*SEARCH, "train.sequences=10000000", "search.trials=4")
    driver = start(*arguments, JOBLIB, "search.workers=2")
    until = time.monotonic() + PATIENCE
    while len(checkpoints(folder)) < 2:
        assert driver.poll() is None, driver.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.1)
    (os.killpg if whole_group else os.kill)(driver.pid, signal.SIGINT)
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 130, said
    assert said.endswith("ntmbench: interrupted; resume with the same command.\n")
    trials = SharedStudy(search_from(arguments)).trials()
    given_back = [TrialState.FAIL] * 2 + [TrialState.WAITING] * 2
    assert [trial.state for trial in trials] == given_back
    assert Node(driver.pid).processes() == []

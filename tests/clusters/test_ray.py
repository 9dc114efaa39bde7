"""Sweeps on a Ray cluster that `ray start` brings up on this machine, and what they survive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from ntmbench.commands.sweeps import COLUMNS
from ntmbench.runs.folder import RunFolder
from tests.clusters.ray_nodes import ENVIRONMENT, Cluster, Node, two_nodes
from tests.conftest import TINY, Ended, command
from tests.search.searching import MODULE, SEARCH, claimed
from tests.search.searching import states as searched

pytest.importorskip("ray", reason="needs the extra 'cluster'")

# By the worker that has the Slurm tests, after or before them: two clusters starve each other.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("slurm")]

#: A run of some seconds, which writes its learning curve as it goes.
SOME_SECONDS = (*TINY, "train.sequences=6000", "train.validate_every=200")
CELLS = ("-m", "task=copy", "seed=0,1")

#: Models of the user's own. One notes the node that it is on, by the process that started its
#: worker; the other crashes.
MODELS = """
import os
from torch import nn

class Mine(nn.Module):
    def __init__(self, input_width, output_width):
        super().__init__()
        with open(f"node-{os.getppid()}", "w") as file:
            file.write(os.environ["NUMBA_TEST"])
        self.output = nn.Linear(input_width, output_width)

    def forward(self, inputs):
        return self.output(inputs)

class Crash(nn.Module):
    def __init__(self, input_width, output_width):
        os._exit(1)
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """The numbers of the runs of some seconds, made one after the other by no cluster."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ended = command(*CELLS, *SOME_SECONDS, folder=folder)
    assert ended.code == 0, ended.err
    return numbers(folder)


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    """A cluster that no test damages."""
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture
def fragile() -> Iterator[Cluster]:
    """A cluster of which a test may kill what it likes."""
    with two_nodes() as cluster:
        yield cluster


def numbers(folder: Path) -> dict[str, tuple[str, str]]:
    """Learning curve without its seconds, and test grid, of each run."""
    found = {}
    for run in (folder / "results" / "runs").iterdir():
        curve = pd.read_csv(run / "metrics.csv", dtype=str).drop(columns="seconds").to_csv()
        found[run.name] = curve, (run / "evaluation.csv").read_text()
    return found


def states(folder: Path) -> list[str]:
    """The states of the last sweep's cells."""
    *_, sweep = sorted((folder / "results" / "sweeps").iterdir())
    table = pd.read_csv(sweep / "sweep.csv")
    assert list(table.columns) == COLUMNS
    return list(table["state"])


def on(cluster: Cluster, *arguments: str) -> tuple[str, ...]:
    return (*arguments, "hydra/launcher=ray", f"hydra.launcher.address={cluster.address}")


class Driver:
    """A sweep's or a search's command that goes on while the test disturbs it."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        new_session: bool = False,
        module: str = "ntmbench",
    ) -> None:
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env={**os.environ, **ENVIRONMENT, "NUMBA_TEST": "travels"},
            start_new_session=new_session,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened while the command runs."""
        until = time.monotonic() + 60
        while not happened():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < until, "nothing happens"
            time.sleep(0.05)

    def is_under_way(self) -> bool:
        """Whether both runs have validated three times."""
        curves = list(self._folder.glob("results/runs/*/metrics.csv"))
        return len(curves) == 2 and all(len(c.read_text().splitlines()) > 3 for c in curves)

    def notes(self) -> str:
        """What is noted of all cells."""
        return "".join(c.read_text() for c in self._folder.glob("results/sweeps/*/*/cell.json"))

    def ended(self) -> Ended:
        out, _ = self.process.communicate(timeout=120)
        return Ended(self.process.returncode, out, "")


def test_a_killed_worker_and_a_killed_node_end_with_the_same_numbers(
    fragile: Cluster, undisturbed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    driver = Driver(tmp_path, *on(fragile, *CELLS, *SOME_SECONDS))
    driver.wait_for(driver.is_under_way)
    (worker,) = fragile.head.workers()
    os.kill(worker, signal.SIGKILL)
    fragile.second.kill()
    ended = driver.ended()
    assert ended.code == 0, ended.out
    assert states(tmp_path) == ["finished", "finished"]
    assert ended.out.count("Resumed at step") == 2
    assert numbers(tmp_path) == undisturbed


def test_a_command_that_was_killed_is_given_again_at_once(
    shared: Cluster, undisturbed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    """The first command's tasks may still hold their runs when the second begins."""
    driver = Driver(tmp_path, *on(shared, *CELLS, *SOME_SECONDS))
    driver.wait_for(driver.is_under_way)
    driver.process.kill()
    driver.ended()
    again = Driver(tmp_path, *on(shared, *CELLS, *SOME_SECONDS)).ended()
    assert again.code == 0, again.out
    assert states(tmp_path) == ["finished", "finished"]
    assert numbers(tmp_path) == undisturbed


def test_a_run_that_another_process_holds_is_tried_again(
    shared: Cluster, undisturbed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    """As by the tasks of a command that was killed a moment ago."""
    name = next(name for name in undisturbed if "-s0-" in name)
    folder = RunFolder(tmp_path / "results" / "runs" / name)
    folder.path.mkdir(parents=True)
    with folder.locked():
        driver = Driver(tmp_path, *on(shared, "-m", "task=copy", "seed=0", *SOME_SECONDS))
        driver.wait_for(lambda: '"held"' in driver.notes())
    ended = driver.ended()
    assert ended.code == 0, ended.out
    assert numbers(tmp_path) == {name: undisturbed[name]}


def test_chunks_run_on_both_nodes_and_a_crash_takes_no_other_cell_with_it(
    shared: Cluster, tmp_path: Path
) -> None:
    """Whatever the folder of the command and its variables hold is there on the workers too."""
    (tmp_path / "mine.py").write_text(MODELS)
    cells = ("-m", "task=copy", "model=custom", "seed=0,1", "model.target=mine:Crash,mine:Mine")
    settings = (*(setting for setting in TINY if not setting.startswith("model")),)
    chunks = ("hydra.launcher.cells_per_task=2", "hydra.launcher.max_retries=1")
    ended = Driver(tmp_path, *on(shared, *cells), *settings, *chunks).ended()
    assert ended.code == 1
    assert states(tmp_path) == ["failed", "finished"] * 2
    assert ended.out.count("its process died 2 times") == 2
    nodes = {path.name for path in tmp_path.glob("node-*")}
    assert len(nodes) == 2
    assert {path.read_text() for path in tmp_path.glob("node-*")} == {"travels"}


def test_search_on_both_nodes_claims_each_trial_once(shared: Cluster, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="needs the extra 'search'")
    workers = ("search.trials=6", "search.workers=2")
    ended = Driver(tmp_path, *on(shared, *SEARCH, *workers), module=MODULE).ended()
    assert ended.code == 0, ended.out
    assert claimed(ended.out) == list(range(6))
    assert set(searched(tmp_path)) <= {"finished", "pruned"}


def test_ctrl_c_leaves_checkpoints_and_nothing_running(tmp_path: Path) -> None:
    endless = (*SOME_SECONDS, "train.sequences=10000000")
    driver = Driver(tmp_path, *CELLS, *endless, "hydra/launcher=ray", new_session=True)
    driver.wait_for(driver.is_under_way)
    os.killpg(driver.process.pid, signal.SIGINT)  # as a terminal does
    ended = driver.ended()
    assert ended.code == 130, ended.out
    assert states(tmp_path) == ["interrupted", "interrupted"]
    assert len(list(tmp_path.glob("results/runs/*/checkpoint.pt"))) == 2
    assert Node(driver.process.pid).processes() == []

"""Sweeps on a real Slurm, which is started on the loopback interface."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.clusters.loopback import obstacle, slurm
from tests.clusters.sweeping import SHORT, numbers, started, trainings
from tests.conftest import command
from tests.search.searching import MODULE, SEARCH, checkpoints, claimed, states

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra 'cluster'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(obstacle()), reason=obstacle()),
    pytest.mark.xdist_group("slurm"),
]

Cluster = dict[str, str]
Start = Callable[..., subprocess.Popen[str]]

#: A run of a quarter of a minute.
LONG = ("train.sequences=30000", "train.validate_every=400")
#: A run that is still at work when it is stopped, however fast the machine is.
ENDLESS = "train.sequences=3000000"
LAUNCHER = "hydra/launcher=slurm"
#: Seconds after which something hangs. Slurm itself tries some things again after two minutes.
PATIENCE = 300


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, slurm(Path(folder)) as environment:
        yield environment


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def start(cluster: Cluster, tmp_path: Path) -> Iterator[Start]:
    """Start a command in the test's folder; it does not outlive the test, nor do its jobs."""
    drivers: list[subprocess.Popen[str]] = []

    def start(*arguments: str, module: str = "ntmbench") -> subprocess.Popen[str]:
        drivers.append(started(*arguments, folder=tmp_path, environment=cluster, module=module))
        return drivers[-1]

    yield start
    for ask in ("squeue --all", "sinfo --long", "scontrol show jobs"):
        print(called(cluster, *ask.split()))  # shown if the test fails
    for log in sorted(Path(cluster["SLURM_CONF"]).parent.glob("*.log")):
        print(f"{log.name}:", *log.read_text().splitlines()[-30:], sep="\n  ")
    for driver in drivers:
        driver.kill()
        driver.wait()
    subprocess.run(["scancel", "--user=root"], env={**os.environ, **cluster}, check=True)
    until(lambda: not called(cluster, "squeue", "--noheader"), "jobs are left")


def called(cluster: Cluster, *command: str) -> str:
    """What a command of Slurm says."""
    environment = {**os.environ, **cluster}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ended.stdout.strip()


class Job:
    """The one job of a sweep, as an administrator sees it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        squeue = ("squeue", "--noheader", "--format=%F")  # an array has one number
        until(lambda: self._call(*squeue), "no job")
        self.number = self._call(*squeue).split()[0]

    def _call(self, *command: str) -> str:
        return called(self._cluster, *command)

    def requeue(self) -> None:
        self._call("scontrol", "requeue", self.number)

    def signal(self, name: str) -> None:
        self._call("scancel", f"--signal={name}", self.number)

    def cancel(self, place: int) -> None:
        self._call("scancel", f"{self.number}_{place}")

    def restart(self) -> None:
        """Wait until the job is queued again, and let it start; by itself it waits two minutes."""
        until(self.restart_if_waiting, "not queued again")

    def restart_if_waiting(self) -> bool:
        squeue = ("squeue", "--noheader", "--format=%T %r", f"--jobs={self.number}")
        if self._call(*squeue) != "PENDING BeginTime":
            return False
        time.sleep(3)  # so that its new credential is younger than the withdrawal of the old one
        self._call("scontrol", "update", f"JobId={self.number}", "StartTime=now")
        return True


def rows(results: Path, seed: int) -> int:
    """Validations so far."""
    curves = results.glob(f"runs/*-s{seed}-*/metrics.csv")
    return sum(len(curve.read_text().splitlines()) for curve in curves)


def test_chunks_give_the_same_numbers(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("-m", *SHORT, "seed=0,1,2")
    assert command(*arguments, "results_dir=alone", folder=tmp_path).code == 0
    sweep = (*arguments, LAUNCHER, "hydra.launcher.cells_per_job=2")
    ended = command(*sweep, folder=tmp_path, **cluster)
    assert (ended.code, ended.err) == (0, "")
    assert ": 2 jobs; what they say is in " in ended.out
    results = tmp_path / "results"
    assert numbers(results) == numbers(tmp_path / "alone")
    assert trainings(results) == [1] * 3


@pytest.mark.long
def test_disturbed_job_goes_on_to_the_same_numbers(
    start: Start, cluster: Cluster, tmp_path: Path
) -> None:
    """It is queued again by hand, then stopped by SIGTERM, then by SIGUSR2."""
    arguments = ("-m", *SHORT, *LONG, "seed=0,1")
    assert command(*arguments, "results_dir=alone", folder=tmp_path).code == 0
    results = tmp_path / "results"
    driver = start(*arguments, LAUNCHER, "hydra.launcher.cells_per_job=2")
    job = Job(cluster)
    until(lambda: rows(results, 0) > 10, "no progress")
    job.requeue()
    job.restart()
    seen = rows(results, 0)
    until(lambda: rows(results, 0) > seen, "no progress after requeue")
    job.signal("TERM")
    job.restart()
    until(lambda: rows(results, 1) > 10, "no progress of the second cell")
    job.signal("USR2")
    job.restart()
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, said
    assert numbers(results) == numbers(tmp_path / "alone")
    assert trainings(results) == [1, 1]
    resumed = [
        log.read_text().count("Resumed at") for log in sorted(results.glob("runs/*/log.txt"))
    ]
    assert resumed == [2, 1]


@pytest.mark.long
def test_job_that_runs_into_its_limit_is_queued_again(
    start: Start, cluster: Cluster, tmp_path: Path
) -> None:
    """Slurm counts limits in minutes, and may send the signal a minute early."""
    arguments = ("-m", *SHORT, "seed=0", "train.sequences=200000", "train.validate_every=1000")
    alone = start(*arguments, "results_dir=alone")
    limit = ("hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=30")
    driver = start(*arguments, LAUNCHER, *limit)
    job = Job(cluster)
    while driver.poll() is None:
        job.restart_if_waiting()
        time.sleep(1)
    said, _ = driver.communicate()
    assert driver.returncode == 0, said
    assert alone.wait(PATIENCE) == 0
    assert numbers(tmp_path / "results") == numbers(tmp_path / "alone")
    (log,) = tmp_path.glob("results/runs/*/log.txt")
    assert "Resumed at" in log.read_text()


def test_killed_driver_picks_up_what_is_there(
    start: Start, cluster: Cluster, tmp_path: Path
) -> None:
    arguments = ("-m", *SHORT, *LONG, "seed=0,1", LAUNCHER)
    results = tmp_path / "results"
    driver = start(*arguments)
    until(lambda: rows(results, 0) > 2 and rows(results, 1) > 2, "no progress")
    driver.kill()
    driver.communicate()
    ended = command(*arguments, folder=tmp_path, **cluster)
    assert (ended.code, ended.err) == (0, "")
    assert trainings(results) == [1, 1]


def test_interrupted_driver_cancels_its_jobs(start: Start, tmp_path: Path) -> None:
    driver = start("-m", *SHORT, *LONG, ENDLESS, "seed=0", LAUNCHER)
    results = tmp_path / "results"
    until(lambda: rows(results, 0) > 2, "no progress")
    driver.send_signal(signal.SIGINT)
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 130, said
    (log,) = results.glob("runs/*/log.txt")
    until(lambda: "Interrupted." in log.read_text(), "not stopped")


def test_cancelled_job_is_told_and_loses_no_other(
    start: Start, cluster: Cluster, tmp_path: Path
) -> None:
    sizes = (f"{ENDLESS},64", "train.validate_every=400")
    driver = start("-m", *SHORT, *sizes, "seed=0", LAUNCHER)
    job = Job(cluster)
    until(lambda: rows(tmp_path / "results", 0) > 4, "no progress")  # more than the short cell has
    job.cancel(0)
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 1, said
    (table,) = tmp_path.glob("results/sweeps/*/sweep.csv")
    cells = pd.read_csv(table)
    assert list(cells["state"]) == ["interrupted", "finished"]
    assert cells["reason"][0].endswith("ended as CANCELLED.")


def test_search_by_two_jobs_claims_each_trial_once(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="needs the extra 'search'")
    workers = ("search.trials=6", "search.workers=2", LAUNCHER)
    driver = start(*SEARCH, *workers, module=MODULE)
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, said
    (told,) = [line for line in said.splitlines() if line.startswith("Slurm job ")]
    logs = Path(told.rpartition(" ")[2]).glob("*_log.out")
    assert claimed("".join(log.read_text() for log in logs)) == list(range(6))
    assert set(states(tmp_path)) <= {"finished", "pruned"}


def test_search_whose_job_is_queued_again_tries_the_same_values_again(
    start: Start, cluster: Cluster, tmp_path: Path
) -> None:
    pytest.importorskip("optuna", reason="needs the extra 'search'")
    longer = ("train.sequences=3000", "train.validate_every=200", "checkpoint_share=1")
    driver = start(*SEARCH, *longer, "search.trials=1", LAUNCHER, module=MODULE)
    job = Job(cluster)
    until(lambda: checkpoints(tmp_path), "no progress")
    job.requeue()
    job.restart()
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, said
    assert states(tmp_path) == ["interrupted", "finished"]

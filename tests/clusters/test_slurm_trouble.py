"""Jobs of a Slurm that refuses, interrupts, delays and damages, all of which is made up here."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra 'cluster'")

from submitit.core.utils import FailedJobError

from ntmbench.clusters import slurm
from ntmbench.clusters.chunks import Cell
from ntmbench.clusters.driver import Returned
from ntmbench.clusters.slurm import Jobs, State
from ntmbench.errors import UserError

#: As many chunks as there are cells.
CHUNKS = [[Cell(number, [f"seed={number}"])] for number in range(3)]


class Executor:
    """Submitit's, of which an array has a single job, and none is started.

    Attributes:
        arrays: what each array does when it is submitted.
    """

    def __init__(self, folder: Path, *arrays: Callable[[], None]) -> None:
        self._folder = folder
        self._arrays = iter(arrays)
        self._submitted = 0

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield
        next(self._arrays)()

    def submit(self, chunk: Any) -> Any:
        self._submitted += 1
        number = str(self._submitted)
        result = self._folder / f"{number}.pkl"
        return SimpleNamespace(
            job_id=number, paths=SimpleNamespace(folder=self._folder, result_pickle=result)
        )


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the jobs that were cancelled, of a Slurm that takes no time."""
    names: list[str] = []
    monkeypatch.setattr(slurm, "cancel", names.append)
    monkeypatch.setattr(slurm, "array_size", lambda: 1)
    for seconds in ("LOOK", "LATE_RESULT", "LONG"):
        monkeypatch.setattr(slurm, seconds, 0.0)
    return names


def jobs(executor: Executor) -> Jobs:
    return Jobs(None, executor, "ntmbench-1", Console(width=300))  # type: ignore[arg-type]


def write_result(path: Path) -> None:
    path.write_bytes(pickle.dumps(("success", [{"state": "finished"}])))


def test_cells_that_slurm_takes_no_more_are_told_and_the_others_go_on(
    cancelled: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise FailedJobError("sbatch: error: QOSMaxSubmitJobPerUserLimit")

    executor = Executor(tmp_path, lambda: write_result(tmp_path / "1.pkl"), refuse)
    ended = list(jobs(executor).start(CHUNKS))
    reason = "Slurm takes no such job: sbatch: error: QOSMaxSubmitJobPerUserLimit"
    assert ended == [
        Returned(CHUNKS[0], [{"state": "finished"}]),
        Returned([CHUNKS[1][0], CHUNKS[2][0]], [], reason),
    ]
    assert f"{reason}. 2 cells are not started; the jobs that are there go on.\n" in (
        capsys.readouterr().out
    )
    assert cancelled == []


def test_nothing_is_cancelled_where_slurm_takes_no_job(
    cancelled: list[str], tmp_path: Path
) -> None:
    def refuse() -> None:
        raise FailedJobError("sbatch: error: invalid partition")

    with pytest.raises(UserError, match="invalid partition"):
        list(jobs(Executor(tmp_path, refuse)).start(CHUNKS))
    assert cancelled == []


def test_jobs_are_cancelled_by_name_when_their_numbers_are_not_known(
    cancelled: list[str], tmp_path: Path
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(jobs(Executor(tmp_path, interrupt)).start(CHUNKS))
    assert cancelled == ["ntmbench-1"]


@pytest.mark.parametrize("damage", [b"", pickle.dumps("success")[:-3]])
def test_a_result_that_cannot_be_read_is_read_again(
    cancelled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    result = tmp_path / "1.pkl"

    def mend(numbers: Any) -> dict[str, State]:
        write_result(result)
        return {"1": State("COMPLETED")}

    monkeypatch.setattr(slurm, "states_of", mend)
    result.write_bytes(damage)
    executor = Executor(tmp_path, lambda: None)
    assert list(jobs(executor).start(CHUNKS[:1])) == [Returned(CHUNKS[0], [{"state": "finished"}])]


def test_a_result_that_stays_damaged_is_told(
    cancelled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm, "states_of", lambda numbers: {"1": State("COMPLETED")})
    executor = Executor(tmp_path, (tmp_path / "1.pkl").touch)
    (lost,) = jobs(executor).start(CHUNKS[:1])
    assert lost.notes == []
    assert lost.reason.startswith("Slurm job 1 ended as COMPLETED. Its result cannot be read: ")


def test_why_a_job_waits_long_is_said_once(
    cancelled: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reasons = iter(["Resources", "BeginTime", "Nodes down", "Nodes down", "Nodes down"])

    def states(numbers: Any) -> dict[str, State]:
        if (reason := next(reasons, "")) == "":
            write_result(tmp_path / "1.pkl")
        return {"1": State("PENDING", reason) if reason else State("RUNNING", "None")}

    monkeypatch.setattr(slurm, "states_of", states)
    list(jobs(Executor(tmp_path, lambda: None)).start(CHUNKS[:1]))
    lines = [line for line in capsys.readouterr().out.splitlines() if "reason" in line]
    assert lines == ["Slurm job 1 has waited for 0 minutes. Slurm's reason: Nodes down."]

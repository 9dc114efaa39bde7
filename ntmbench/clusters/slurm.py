"""Sweeps on Slurm: chunks of cells as an array of jobs that may be stopped at any moment.

Submitit writes the batch script and brings a job's function and result across. A job whose time is
nearly up gets SIGUSR2, and one that is preempted SIGTERM. In both cases the run at work writes its
checkpoint, and the job is queued again (``scontrol requeue``). Slurm itself queues a job again
whose node died. Whichever it was, the job goes on where it was.

What became of a job is seen from its result, a file, and from ``squeue`` once it is over without
one. Slurm's accounting is not needed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import pickle
import re
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import submitit
from hydra.core.utils import JobReturn
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from omegaconf import OmegaConf
from rich.console import Console
from submitit.core.utils import FailedJobError, FailedSubmissionError

from ntmbench.clusters.chunks import Cell, Worker, cut
from ntmbench.clusters.driver import Returned, run_in_chunks
from ntmbench.commands.cells import Note
from ntmbench.errors import SettingError, UserError, check_range

#: Seconds between two looks at the jobs.
LOOK = 2.0
#: Seconds that a job's result may take to appear here, once Slurm says that the job is over.
LATE_RESULT = 15.0
#: How often a job asks for its own state: many ask at once where many reach their time limit.
ASKED = 4
#: Slurm's own limit on the size of an array, where ``scontrol`` does not tell another.
ARRAY_SIZE = 1001

#: States of a job that is over; from all others it may still give a result.
OVER = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "PREEMPTED", "REVOKED", "TIMEOUT",
}  # fmt: skip
#: The state of a job of which Slurm no longer knows.
FORGOTTEN = "one that Slurm no longer knows"


@dataclass(frozen=True)
class Chunk:
    """What a job does, as Submitit calls it."""

    worker: Worker
    cells: list[Cell]

    def __call__(self) -> list[Note]:
        """Run the cells; when interrupted, queue the job again unless Slurm has done so."""
        # Submitit's handler calls checkpoint(), counts the time limits, and queues the job again.
        # It would do so in the middle of a step.
        queue_again = signal.getsignal(signal.SIGUSR2)
        assert callable(queue_again)
        before = signal.signal(signal.SIGUSR2, _pass_on)
        try:
            return self.worker.run(self.cells)
        except KeyboardInterrupt as error:
            state = own_state()
            print(f"Interrupted by signal {getattr(error, 'signal_number', signal.SIGINT)}.")
            if state in ("RUNNING", ""):  # neither cancelled, nor queued again by somebody else
                queue_again(signal.SIGUSR2, None)
            # Submitit takes anything but an exit for a result.
            raise SystemExit(f"Slurm says that this job is {state or 'unknown'}.") from None
        finally:
            signal.signal(signal.SIGUSR2, before)

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """What the job does when it is started again: the same, since its runs have checkpoints."""
        return submitit.helpers.DelayedSubmission(self)


def _pass_on(number: int, frame: FrameType | None) -> None:
    """Do what SIGTERM does, which training obeys between two steps."""
    signal.raise_signal(signal.SIGTERM)


def launch(worker: Worker, cells: list[Cell], settings: Mapping[str, Any]) -> list[JobReturn]:
    """Run cells as Slurm jobs with the launcher's settings.

    Raises:
        UserError: if Slurm is not there, or takes no job with these settings.
        KeyboardInterrupt: when interrupted, after the jobs are cancelled.
    """
    plain = dict(settings)
    cells_per_job, at_once = plain.pop("cells_per_job"), plain["array_parallelism"]
    check_range("hydra.launcher.cells_per_job", cells_per_job, 0)
    check_range("hydra.launcher.array_parallelism", at_once, 1)
    console = Console()
    jobs = Jobs(worker, _executor(plain), console)
    size = cells_per_job or -(-len(cells) // at_once)
    return run_in_chunks(worker.sweep, cells, size, jobs.start, console)


def _executor(settings: dict[str, Any]) -> submitit.AutoExecutor:
    """Submitit's executor with a launcher's settings, under the names that it has for them."""
    values: dict[str, Any] = {
        name: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for name, value in settings.items()
    }
    folder, timeouts = values.pop("submitit_folder"), values.pop("max_num_timeout")
    values["additional_parameters"] = {"requeue": True, **values["additional_parameters"]}
    shared = {field.name for field in dataclasses.fields(BaseQueueConf)}
    try:
        executor = submitit.AutoExecutor(folder, cluster="slurm", slurm_max_num_timeout=timeouts)
    except RuntimeError as error:  # it looks for Slurm's commands
        raise UserError(
            "hydra/launcher=slurm needs the commands of Slurm (sbatch, srun, squeue, scontrol), "
            "which are not on this machine."
        ) from error
    try:
        executor.update_parameters(
            **{name if name in shared else f"slurm_{name}": value for name, value in values.items()}
        )
    except (TypeError, ValueError, NameError) as error:
        raise SettingError(f"hydra.launcher: {' '.join(str(error).split())}") from error
    return executor


class Jobs:
    """The jobs of a sweep."""

    def __init__(self, worker: Worker, executor: submitit.AutoExecutor, console: Console) -> None:
        """Start jobs that use ``worker``; say on ``console`` which."""
        self._worker, self._executor, self._console = worker, executor, console

    def start(self, chunks: list[list[Cell]]) -> Iterator[Returned]:
        """Submit the chunks, a job for each, and give each when its job has ended."""
        waiting: dict[str, _Job] = {}
        try:
            for part in cut(chunks, array_size()):
                waiting |= self._submit(part)
            yield from _as_they_end(waiting)
        except BaseException:
            cancel(waiting)
            raise

    def _submit(self, chunks: list[list[Cell]]) -> dict[str, _Job]:
        try:
            # Submitit prints what sbatch says, and raises it too.
            with contextlib.redirect_stderr(io.StringIO()), self._executor.batch():
                jobs = [self._executor.submit(Chunk(self._worker, cells)) for cells in chunks]
        except (FailedJobError, FailedSubmissionError) as error:
            raise UserError(f"Slurm takes no such job: {_reason(error)}") from error
        number = jobs[0].job_id.partition("_")[0]
        cells = sum(map(len, chunks))
        self._console.print(
            f"Slurm job {number}: {cells} cells in {len(jobs)} jobs; what they say is in "
            f"{jobs[0].paths.folder}",
            highlight=False,
            soft_wrap=True,
        )
        return {
            job.job_id: _Job(job.job_id, job.paths.result_pickle, cells)
            for job, cells in zip(jobs, chunks, strict=True)
        }


@dataclass
class _Job:
    number: str
    result: Path
    cells: list[Cell]
    #: When it was first seen to be over without a result, on this process's clock.
    over_since: float | None = None


def _as_they_end(waiting: dict[str, _Job]) -> Iterator[Returned]:
    """Give the chunk of each job that has ended; empties ``waiting``."""
    while waiting:
        for job in _with_result(waiting.values()):
            del waiting[job.number]
            yield _returned(job)
        now = time.monotonic()
        states = states_of(waiting) if waiting else {}
        for number, state in states.items():
            job = waiting[number]
            if state not in OVER and state != FORGOTTEN:
                job.over_since = None
            elif job.over_since is None:
                job.over_since = now
            elif now - job.over_since > LATE_RESULT:
                del waiting[number]
                yield Returned(job.cells, [], f"Slurm job {number} ended as {state}.")
        if waiting:
            time.sleep(LOOK)


def _with_result(jobs: Collection[_Job]) -> list[_Job]:
    """Those whose result is there. A folder is listed as a whole, so that no look is outdated."""
    there: set[str] = set()
    for folder in {job.result.parent for job in jobs}:
        there.update(path.name for path in folder.iterdir())
    return [job for job in jobs if job.result.name in there]


def _returned(job: _Job) -> Returned:
    outcome, content = pickle.loads(job.result.read_bytes())
    if outcome == "success":
        return Returned(job.cells, content)
    lines = [line.strip() for line in str(content).splitlines() if line.strip()]
    return Returned(job.cells, [], f"Slurm job {job.number}: {lines[-1]}")


def array_size() -> int:
    """How many jobs an array may have."""
    told = subprocess.run(
        ["scontrol", "show", "config"], capture_output=True, text=True, check=False
    )
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", told.stdout, re.MULTILINE)
    return max(1, (int(found[1]) if found else ARRAY_SIZE) - 1)


def own_state() -> str:
    """The state of the job that this process is; empty if Slurm does not answer."""
    number = os.environ["SLURM_JOB_ID"]
    command = ["squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={number}"]
    for _ in range(ASKED):
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if state := told.stdout.strip():
            return state
        time.sleep(LOOK)
    return ""


def states_of(numbers: Collection[str]) -> dict[str, str]:
    """The state of each of these jobs, such as ``RUNNING``; of none if Slurm does not answer."""
    told = _squeue(sorted({number.partition("_")[0] for number in numbers}))
    if told is None:
        return {}
    known = dict(line.split() for line in told.splitlines())
    return {number: known.get(number, FORGOTTEN) for number in numbers}


def _squeue(numbers: Collection[str]) -> str | None:
    command = ["squeue", "--noheader", "--array", "--states=all", "--format=%i %T"]
    told = subprocess.run(
        [*command, f"--jobs={','.join(numbers)}"], capture_output=True, text=True, check=False
    )
    if told.returncode == 0 or "Invalid job id" in told.stderr:
        return told.stdout
    return None


def cancel(numbers: Collection[str]) -> None:
    """Cancel jobs; their runs write checkpoints."""
    if arrays := sorted({number.partition("_")[0] for number in numbers}):
        subprocess.run(["scancel", *arrays], check=False)


def _reason(error: BaseException) -> str:
    """What ``sbatch`` said, in one line."""
    return " ".join(str(error).split())

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
import secrets
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
#: Seconds after which it is said why a job still waits.
LONG = 300.0
#: Slurm's reasons that need no mention: a job that was queued again waits a moment, and so does one
#: of an array of which as many run as may.
ORDINARY = {"None", "BeginTime", "JobArrayTaskLimit", "JobArrayTaskLimitReached"}
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
    # A name of its own, by which its jobs can be cancelled whose numbers are not known yet.
    plain["name"] = f"{plain['name']}-{secrets.token_hex(4)}"
    jobs = Jobs(worker, _executor(plain), plain["name"], console)
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

    def __init__(
        self, worker: Worker, executor: submitit.AutoExecutor, name: str, console: Console
    ) -> None:
        """Start jobs of this name that use ``worker``; say on ``console`` which."""
        self._worker, self._executor, self._name = worker, executor, name
        self._console = console

    def start(self, chunks: list[list[Cell]]) -> Iterator[Returned]:
        """Submit the chunks, a job for each, and give each when its job has ended.

        Where Slurm takes some of the chunks alone, the others are given as lost.

        Raises:
            UserError: if Slurm takes none of them.
        """
        waiting: dict[str, _Job] = {}
        refused: Returned | None = None
        try:
            for part in cut(chunks, array_size()):
                try:
                    waiting |= self._submit(part)
                except UserError as error:
                    if not waiting:
                        raise
                    refused = self._not_submitted(chunks[len(waiting) :], error)
                    break
            yield from _as_they_end(waiting, self._console)
            if refused:
                yield refused
        except BaseException as error:
            if waiting or not isinstance(error, UserError):  # else Slurm has taken none
                cancel(self._name)
            raise

    def _not_submitted(self, chunks: list[list[Cell]], error: UserError) -> Returned:
        cells = [cell for chunk in chunks for cell in chunk]
        noun = "1 cell is" if len(cells) == 1 else f"{len(cells)} cells are"
        line = f"{str(error).rstrip('.')}. {noun} not started; the jobs that are there go on."
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        return Returned(cells, [], str(error))

    def _submit(self, chunks: list[list[Cell]]) -> dict[str, _Job]:
        try:
            # Submitit prints what sbatch says, and raises it too.
            with contextlib.redirect_stderr(io.StringIO()), self._executor.batch():
                jobs = [self._executor.submit(Chunk(self._worker, cells)) for cells in chunks]
        except (FailedJobError, FailedSubmissionError) as error:
            raise UserError(f"Slurm takes no such job: {_reason(error)}") from error
        except KeyboardInterrupt:
            time.sleep(LOOK)  # Slurm may be about to have the jobs, which are then cancelled
            raise
        number = jobs[0].job_id.partition("_")[0]
        noun = "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs"
        self._console.print(
            f"Slurm job {number}: {noun}; what they say is in {jobs[0].paths.folder}",
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
    #: When it was first seen to wait.
    pending_since: float | None = None
    #: Why its result could not be read, at the last look.
    unread: str = ""


@dataclass(frozen=True)
class State:
    """What Slurm says of a job: its state, such as ``RUNNING``, and why it waits if it does."""

    name: str
    reason: str = ""


def _as_they_end(waiting: dict[str, _Job], console: Console) -> Iterator[Returned]:
    """Give the chunk of each job that has ended; empties ``waiting``."""
    told: set[str] = set()
    while waiting:
        for job in _with_result(waiting.values()):
            if (returned := _returned(job)) is not None:
                del waiting[job.number]
                yield returned
        now = time.monotonic()
        states = states_of(waiting) if waiting else {}
        for number, state in states.items():
            job = waiting[number]
            if state.name not in OVER and state.name != FORGOTTEN:
                job.over_since = None
            elif job.over_since is None:
                job.over_since = now
            elif now - job.over_since > LATE_RESULT:
                del waiting[number]
                reason = f"Slurm job {number} ended as {state.name}."
                yield Returned(job.cells, [], f"{reason} {job.unread}".rstrip())
        for line in _long_waits(waiting, states, now, told):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        if waiting:
            time.sleep(LOOK)


def _long_waits(
    waiting: Mapping[str, _Job], states: Mapping[str, State], now: float, told: set[str]
) -> list[str]:
    """A line for each reason for which a job waits long, unless it is in ``told``; added there."""
    lines = []
    for number, job in waiting.items():
        state = states.get(number, State(""))
        if state.name != "PENDING" or state.reason in ORDINARY:
            job.pending_since = None
        elif job.pending_since is None:
            job.pending_since = now
        elif now - job.pending_since > LONG and state.reason not in told:
            told.add(state.reason)
            minutes = round((now - job.pending_since) / 60)
            lines.append(
                f"Slurm job {number} has waited for {minutes} minutes. Slurm's reason: "
                f"{state.reason}."
            )
    return lines


def _with_result(jobs: Collection[_Job]) -> list[_Job]:
    """Those whose result is there. A folder is listed as a whole, so that no look is outdated."""
    there: set[str] = set()
    for folder in {job.result.parent for job in jobs}:
        with contextlib.suppress(OSError):  # a server that is away: the next look may find it again
            there.update(path.name for path in folder.iterdir())
    return [job for job in jobs if job.result.name in there]


def _returned(job: _Job) -> Returned | None:
    """What a job's result says; None if it cannot be read, or not yet, as its ``unread`` tells."""
    try:
        outcome, content = pickle.loads(job.result.read_bytes())
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        job.unread = f"Its result cannot be read: {_reason(error)}."
        return None
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


def states_of(numbers: Collection[str]) -> dict[str, State]:
    """The state of each of these jobs; of none if Slurm does not answer."""
    told = _squeue(sorted({number.partition("_")[0] for number in numbers}))
    if told is None:
        return {}
    known = {}
    for line in told.splitlines():
        number, name, *reason = line.split(maxsplit=2)
        known[number] = State(name, *reason)
    return {number: known.get(number, State(FORGOTTEN)) for number in numbers}


def _squeue(numbers: Collection[str]) -> str | None:
    command = ["squeue", "--noheader", "--array", "--states=all", "--format=%i %T %r"]
    told = subprocess.run(
        [*command, f"--jobs={','.join(numbers)}"], capture_output=True, text=True, check=False
    )
    if told.returncode == 0 or "Invalid job id" in told.stderr:
        return told.stdout
    return None


def cancel(name: str) -> None:
    """Cancel all jobs of a name; their runs write checkpoints."""
    subprocess.run(["scancel", f"--name={name}"], check=False)


def _reason(error: BaseException) -> str:
    """What ``sbatch`` said, in one line."""
    return " ".join(str(error).split())

"""A run's folder: its files, its status, its lock, and many runs read back as tables.

In ``<results_dir>/runs/<task>-<model>-s<seed>-<hash>/`` lie ``config.yaml`` (every setting),
``status.json``, ``metrics.csv`` (the learning curve, on validation data), ``evaluation.csv`` (the
test grid), ``positions.csv`` (the same by step of the answer), ``variations.csv`` (tests beyond the
grid, where the task names any), ``example.npz`` (one test sequence as it was answered),
``checkpoint.pt``, ``log.txt`` and ``plots/``.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ntmbench.config import fingerprint
from ntmbench.files import write_text
from ntmbench.registry import make_task
from ntmbench.settings import UserError
from ntmbench.task import Task

METRICS_COLUMNS = ["step", "sequences", "seconds", "loss_bits", "wrong_bits", "exact_match"]
EVALUATION_COLUMNS = [
    "length",
    "memory_slots",
    "sequences",
    "loss_bits",
    "wrong_bits",
    "chance_wrong_bits",
    "exact_match",
]
POSITION_COLUMNS = ["length", "position", "sequences", "wrong_bits"]
VARIATION_COLUMNS = ["variation", *EVALUATION_COLUMNS]
RUN_COLUMNS = [
    "run",
    "task",
    "model",
    "seed",
    "setting",
    "state",
    "active",
    "parameters",
    "train_sequences",
    "min_length",
    "max_length",
    "selected_step",
    "sequences_per_second",
    "train_seconds",
    "wall_seconds",
    "device",
    "versions",
    "commit",
    "started",
    "ended",
    "error",
    "folder",
]

#: The tables of a run's folder, under their names there and in Results.
TABLES = {
    "metrics": METRICS_COLUMNS,
    "evaluation": EVALUATION_COLUMNS,
    "positions": POSITION_COLUMNS,
    "variations": VARIATION_COLUMNS,
}
#: What every table of Results begins with.
KEYS = ["run", "task", "model", "seed"]


class RunError(UserError):
    """A run's folder can not be used."""


def check_writable(results_dir: Path) -> None:
    """Refuse a results folder that can not be made or written, without making it.

    Raises:
        RunError: naming the folder.
    """
    nearest = results_dir.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise RunError(f"results_dir={results_dir}: {nearest} is a file, not a folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise RunError(f"results_dir={results_dir}: no permission to write in {nearest}.")


@dataclass(frozen=True)
class RunFolder:
    """The names of the files in a run's folder."""

    path: Path

    @property
    def config(self) -> Path:
        """Every setting, resolved, as YAML."""
        return self.path / "config.yaml"

    @property
    def status(self) -> Path:
        """State, versions, device and times, as JSON."""
        return self.path / "status.json"

    @property
    def metrics(self) -> Path:
        """The learning curve."""
        return self.path / "metrics.csv"

    @property
    def evaluation(self) -> Path:
        """The test grid."""
        return self.path / "evaluation.csv"

    @property
    def positions(self) -> Path:
        """The test grid's wrong bits by step of the answer."""
        return self.path / "positions.csv"

    @property
    def variations(self) -> Path:
        """Tests beyond the grid, where the task names any."""
        return self.path / "variations.csv"

    @property
    def example(self) -> Path:
        """One test sequence as it was answered, see ``ntmbench.example``."""
        return self.path / "example.npz"

    @property
    def tests(self) -> tuple[Path, ...]:
        """What the selected weights were tested for: the files that are made after training."""
        return self.positions, self.variations, self.example, self.evaluation

    @property
    def checkpoint(self) -> Path:
        """Weights, optimizer and counters; after the end also the selected weights."""
        return self.path / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """What the run said."""
        return self.path / "log.txt"

    @property
    def plots(self) -> Path:
        """Pictures of the run."""
        return self.path / "plots"

    def read_status(self) -> dict[str, Any]:
        """The status, or an empty dict where the run has not begun.

        Raises:
            RunError: if the file is there but is not a status.
        """
        try:
            status = json.loads(self.status.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise RunError(f"{self.status} can not be read: {error}") from error
        if not isinstance(status, dict) or "state" not in status:
            raise RunError(f"{self.status} is not the status of a run.")
        return status

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Replace the status."""
        write_text(self.status, json.dumps(status, indent=2) + "\n")

    def write_table(self, path: Path, table: pd.DataFrame) -> None:
        """Replace one of the folder's CSV files; floats keep all their digits."""
        write_text(path, table.to_csv(index=False))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the system lets go of it however the process ends.

        Raises:
            RunError: if another process holds it.
        """
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError(
                    f"Another process is at work on this run: {self.path}. "
                    "Wait for it, or stop it; it resumes with the same command."
                ) from error
            yield

    def is_locked(self) -> bool:
        """Whether a process is at work on the run."""
        try:
            with (self.path / ".lock").open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


@dataclass(frozen=True)
class Results:
    """Any number of runs as tidy tables, joined by the column ``run`` (the folder's name).

    Attributes:
        runs: a row per run, see RUN_COLUMNS. ``setting`` is the same for runs that differ in their
            seed alone. ``state`` is running, finished, failed or diverged; a run that says running
            is ``active`` while a process is at work on it and was interrupted otherwise.
            ``versions`` names all packages in one string.
        metrics: ``run``, ``task``, ``model``, ``seed`` and the columns of ``metrics.csv``.
        evaluation: the same of ``evaluation.csv``.
        positions: the same of ``positions.csv``; runs of earlier versions have none.
        variations: the same of ``variations.csv``; tasks that name no variation have none.
        settings: of each run, its identity: the settings that can change its numbers.
        unreadable: folders in ``runs`` that hold no readable run, and why.
    """

    runs: pd.DataFrame
    metrics: pd.DataFrame
    evaluation: pd.DataFrame
    positions: pd.DataFrame
    variations: pd.DataFrame
    settings: dict[str, dict[str, Any]]
    unreadable: dict[str, str]


def load_results(path: str | Path = "results") -> Results:
    """Read every run under a results folder, or under its ``runs``; finished or not.

    Raises:
        RunError: if ``path`` does not exist or is not a folder.
    """
    root = Path(path)
    if root.exists() and not root.is_dir():
        raise RunError(f"{root} is a file, not a results folder.")
    if not root.exists():
        raise RunError(f"There is no results folder at {root}.")
    runs_root = root / "runs" if (root / "runs").is_dir() else root
    only_runs = runs_root.resolve().name == "runs"
    rows: list[dict[str, Any]] = []
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    settings: dict[str, dict[str, Any]] = {}
    unreadable: dict[str, str] = {}
    for path_of_run in sorted(p for p in runs_root.iterdir() if p.is_dir()):
        folder = RunFolder(path_of_run)
        try:
            status = folder.read_status()
            if not status:
                if only_runs:
                    unreadable[str(path_of_run)] = "no status.json"
                continue
            row = _run_row(folder, status)
            of_run = {
                name: _read_table(getattr(folder, name), columns)
                for name, columns in TABLES.items()
            }
        except (RunError, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            unreadable[str(path_of_run)] = f"{type(error).__name__}: {error}"
            continue
        rows.append(row)
        settings[row["run"]] = status["settings"]
        for name, table in of_run.items():
            for place, key in enumerate(KEYS):
                table.insert(place, key, row[key])
            tables[name].append(table)
    joined = {name: _join(tables[name], KEYS + columns) for name, columns in TABLES.items()}
    return Results(
        runs=pd.DataFrame(rows, columns=RUN_COLUMNS),
        **joined,
        settings=settings,
        unreadable=unreadable,
    )


def rebuild_task(settings: Mapping[str, Any]) -> Task:
    """The task of a run, from the part ``task`` of its identity.

    Raises:
        UserError: if it is not installed here, or in another version.
        TypeError, ValueError: for a value that it can not take.
    """
    values = {key: value for key, value in settings.items() if key not in ("name", "version")}
    task = make_task(settings["name"], **values)
    if task.version != settings.get("version"):
        raise RunError(
            f"the runs have version {settings.get('version')} of task {task.name}, "
            f"and version {task.version} is installed."
        )
    return task


def _run_row(folder: RunFolder, status: Mapping[str, Any]) -> dict[str, Any]:
    identity = dict(status["settings"])
    shared = {key: value for key, value in identity.items() if key != "seed"}
    # A third party's task may have no length settings; its range is then left out.
    lengths = {key: identity["task"].get(key) for key in ("min_length", "max_length")}
    row = {
        **lengths,
        "run": folder.path.name,
        "task": identity["task"]["name"],
        "model": identity["model"]["name"],
        "seed": identity["seed"],
        "setting": fingerprint(shared),
        "state": status["state"],
        "active": status["state"] == "running" and folder.is_locked(),
        "train_sequences": identity["train"]["sequences"],
        "versions": _named(status.get("versions") or {}),
        "commit": _in_turn(status.get("commits") or [status.get("commit")]),
        "folder": str(folder.path),
    }
    return {**{key: status.get(key) for key in RUN_COLUMNS}, **row}


def _in_turn(commits: Sequence[str | None]) -> str | None:
    """``A, then B`` for a run that another version went on with; None where none is known."""
    if not any(commits):
        return None
    return ", then ".join(commit or "not recorded" for commit in commits)


def _named(versions: Mapping[str, str]) -> str | None:
    """All versions as one string; None where none were noted."""
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or None


def _read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        return pd.DataFrame()
    missing = [column for column in columns if column not in table]
    if missing:
        raise RunError(f"{path} has no column {', '.join(missing)}.")
    return table


def _join(tables: Iterable[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=columns)
    return pd.concat(filled, ignore_index=True)[columns]

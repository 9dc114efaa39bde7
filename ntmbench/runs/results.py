"""Results: many runs read back as tidy tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ntmbench.data.identity import fingerprint
from ntmbench.runs.folder import RunError, RunFolder
from ntmbench.runs.tables import read_table

METRICS_COLUMNS = ["step", "sequences", "seconds", "loss_bits", "errors", "exact_match"]
EVALUATION_COLUMNS = [
    "length",
    "memory_slots",
    "sequences",
    "loss_bits",
    "errors",
    "chance_errors",
    "exact_match",
]
POSITION_COLUMNS = ["length", "position", "sequences", "errors"]
VARIATION_COLUMNS = ["variation", *EVALUATION_COLUMNS]
RUN_COLUMNS = [
    "run",
    "task",
    "model",
    "seed",
    "setting",
    "state",
    "active",
    "unit",
    "parameters",
    "state_floats",
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

#: The tables of a run's folder, by their names there and in Results.
TABLES = {
    "metrics": METRICS_COLUMNS,
    "evaluation": EVALUATION_COLUMNS,
    "positions": POSITION_COLUMNS,
    "variations": VARIATION_COLUMNS,
}
#: The states of runs that have their results.
ENDED = ("finished", "diverged")
#: The first columns of every table of Results.
KEYS = ["run", "task", "model", "seed"]


@dataclass(frozen=True)
class Results:
    """Any number of runs as tidy tables, with the column ``run`` (the folder's name) in common.

    Attributes:
        runs: a row per run, see RUN_COLUMNS. ``setting`` is the same for runs that differ only in
            their seed. ``state`` is running, finished, failed or diverged. A running run is
            ``active`` while a process is at work on it; otherwise it was interrupted. ``versions``
            names all packages in one string.
        metrics: ``run``, ``task``, ``model``, ``seed`` and the columns of ``metrics.csv``.
        evaluation: the same of ``evaluation.csv``.
        positions: the same of ``positions.csv``; runs of earlier versions have none.
        variations: the same of ``variations.csv``; tasks that name no variation have none.
        settings: each run's identity: the settings that can change its numbers.
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
    """Read every run, finished or not, under a results folder or under its ``runs``.

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
                name: read_table(getattr(folder, name), columns, table_digests(status))
                for name, columns in TABLES.items()
            }
        except (RunError, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            unreadable[str(path_of_run)] = f"{type(error).__name__}: {error}"
            continue
        rows.append(row)
        settings[row["run"]] = status["settings"]
        for name, table in of_run.items():
            if table is None:
                continue
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


def _run_row(folder: RunFolder, status: Mapping[str, Any]) -> dict[str, Any]:
    identity = dict(status["settings"])
    shared = {key: value for key, value in identity.items() if key != "seed"}
    shortest, longest = status.get("lengths") or (None, None)  # earlier versions told neither
    row = {
        "unit": status.get("unit", "bit"),  # earlier versions had bits alone
        "min_length": shortest,
        "max_length": longest,
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
    """``A, then B`` for a run that another version resumed; None if none is known."""
    if not any(commits):
        return None
    return ", then ".join(commit or "not recorded" for commit in commits)


def _named(versions: Mapping[str, str]) -> str | None:
    """All versions as one string; None if none were noted."""
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or None


def table_digests(status: Mapping[str, Any]) -> dict[str, str]:
    """The digests of a run's tables; none before its end, or if an earlier version ran it.

    Raises:
        RunError: if the status holds something else in their place.
    """
    digests = status.get("tables", {}) if status["state"] in ENDED else {}
    if not isinstance(digests, dict):
        raise RunError("The digests of the tables in status.json are damaged.")
    return digests


def _join(tables: Iterable[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=columns)
    return pd.concat(filled, ignore_index=True)[columns]

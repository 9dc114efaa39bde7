"""Results: many runs read back as tidy tables.

How far this scales. ``python -m tests.runs.bench_results`` fabricates 10,000 finished runs of all
tasks, with 100 validations each: 1,000,000 rows of curves, 3,100,000 of errors by position and
340,000 of looks. Measured on a core of a Xeon that had other work, with files that the system still
held in memory:

==============================  ========  =======
10,000 runs                     folders   archive
==============================  ========  =======
files read                      63,000    1
bytes                           228 MB    72 MB
``load_results``, core seconds  3.7       1.1
memory, measured without looks  0.9 GB    0.4 GB
==============================  ========  =======

100,000 runs are expected to take ten times as much: 40 s and 9 GB from their folders, 11 s and 4 GB
from an archive of 700 MB. A run leaves about 16 files, with its log, checkpoint and pictures, so
that 100,000 leave 1.6 million files in 200,000 folders.

The first limit is the file system: seven files are opened for a run. At a millisecond each, as on a
network file system whose cache is cold, 100,000 runs take twelve minutes; pack them where they lie
(``python -m ntmbench.archive``) and read the archive. The next limit is memory, at some 200,000
runs on a machine with 16 GB. Beyond it, give each part of a campaign a results folder of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ntmbench.data.identity import fingerprint
from ntmbench.runs import archive
from ntmbench.runs.folder import RunError
from ntmbench.runs.reading import read_folders
from ntmbench.runs.search_record import SEARCHES, SearchRecord, search_records
from ntmbench.runs.stored import ExampleFile, Stack, Stored, StoredRun

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
LOOK_COLUMNS = ["length", "against", "low", "high", "answers", "errors", "wrong"]
HEAD_COLUMNS = [
    *("length", "does", "head", "phase", "steps", "slots", "slots_in_use"),
    *("by_key", "by_position", "sharpness", "on_item", "on_any_item", "delay"),
]
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
    "searches",
    "search_trials",
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
    "look": LOOK_COLUMNS,
    "heads": HEAD_COLUMNS,
}
#: The first columns of every table of Results.
KEYS = ["run", "task", "model", "seed"]


@dataclass(frozen=True)
class Results:
    """Any number of runs as tidy tables, with the column ``run`` (the folder's name) in common.

    Attributes:
        runs: a row per run, see RUN_COLUMNS. ``setting`` is the same for runs that differ only in
            their seed. ``searches`` names those in the attribute of that name, and
            ``search_trials`` counts their trials. ``state`` is running, finished, failed or
            diverged. A running run is ``active`` while a process is at work on it; otherwise it was
            interrupted. ``versions`` names all packages in one string.
        metrics: ``run``, ``task``, ``model``, ``seed`` and the columns of ``metrics.csv``.
        evaluation: the same of ``evaluation.csv``.
        positions: the same of ``positions.csv``; runs of earlier versions have none.
        variations: the same of ``variations.csv``; tasks that name no variation have none.
        look: the same of ``look.csv``; runs of earlier versions have none.
        heads: the same of ``heads.csv``; models have none whose trace does not tell where they read
            and write.
        settings: each run's identity: the settings that can change its numbers.
        searches: of each run that has some, by name, the searches that found values of its
            settings. The recipes of a run state them; runs of earlier versions have none.
        examples: of each run that has one, where its answered test sequence is.
        unreadable: folders in ``runs`` that hold no readable run, and why.
    """

    runs: pd.DataFrame
    metrics: pd.DataFrame
    evaluation: pd.DataFrame
    positions: pd.DataFrame
    variations: pd.DataFrame
    look: pd.DataFrame
    heads: pd.DataFrame
    settings: dict[str, dict[str, Any]]
    searches: dict[str, dict[str, SearchRecord]]
    examples: dict[str, ExampleFile]
    unreadable: dict[str, str]


def load_results(path: str | Path = "results") -> Results:
    """Read every run, finished or not, of a results folder, of its ``runs``, or of an archive.

    A results folder may have run folders, an archive of runs (``runs.zip``) or both; a run that is
    in both is read from its folder. An archive alone gives the same tables as the folders that it
    was made of, where it lies beside them, but that nothing is at work on its runs.

    Raises:
        RunError: if ``path`` does not exist or is neither a folder nor an archive, or if the
            archive is damaged.
    """
    return results_of(load_stored(Path(path)))


def load_stored(root: Path) -> Stored:
    """What ``load_results`` makes its tables of.

    Raises:
        RunError: as ``load_results``.
    """
    if not root.exists():
        raise RunError(f"There is no results folder at {root}.")
    if not root.is_dir():
        if root.suffix != Path(archive.NAME).suffix:
            raise RunError(
                f"{root} is a file, not a results folder or an archive ({archive.NAME})."
            )
        return archive.read_archive(root, TABLES)
    inside = root / "runs"
    stored = read_folders(inside if inside.is_dir() else root, TABLES)
    packed = root / archive.NAME
    return stored.beside(archive.read_archive(packed, TABLES)) if packed.exists() else stored


def results_of(stored: Stored) -> Results:
    """The tables of runs; a run whose status is not as it should be is unreadable."""
    rows: list[dict[str, Any]] = []
    places: list[int] = []
    searches: dict[str, dict[str, SearchRecord]] = {}
    unreadable = dict(stored.unreadable)
    for place, run in enumerate(stored.runs):
        try:
            found = _searches(run)
            rows.append(_run_row(run, found))
            places.append(place)
            if found:
                searches[run.name] = found
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            unreadable[str(run.folder)] = f"{type(error).__name__}: {error}"
    whole = stored.taken(places)
    runs = pd.DataFrame(rows, columns=RUN_COLUMNS)
    return Results(
        runs=runs,
        **{name: _with_keys(whole.tables[name], runs) for name in TABLES},
        settings={run.name: run.status["settings"] for run in whole.runs},
        searches=searches,
        examples={run.name: run.example for run in whole.runs if run.example is not None},
        unreadable=dict(sorted(unreadable.items())),
    )


def _searches(run: StoredRun) -> dict[str, SearchRecord]:
    """The searches that a run notes and has a setting from."""
    noted = search_records(run.status.get(SEARCHES) or {})
    settings = run.status["settings"]
    return {name: record for name, record in noted.items() if record.held(settings)}


def _run_row(run: StoredRun, searches: Mapping[str, SearchRecord]) -> dict[str, Any]:
    status = run.status
    identity = dict(status["settings"])
    shared = {key: value for key, value in identity.items() if key != "seed"}
    shortest, longest = status.get("lengths") or (None, None)  # earlier versions told neither
    row = {
        "unit": status.get("unit", "bit"),  # earlier versions had bits alone
        "min_length": shortest,
        "max_length": longest,
        "run": run.name,
        "task": identity["task"]["name"],
        "model": identity["model"]["name"],
        "seed": identity["seed"],
        "setting": fingerprint(shared),
        "state": status["state"],
        "active": run.active,
        "train_sequences": identity["train"]["sequences"],
        SEARCHES: ", ".join(searches) or None,
        "search_trials": sum(record.trials for record in searches.values()),
        "versions": _named(status.get("versions") or {}),
        "commit": _in_turn(status.get("commits") or [status.get("commit")]),
        "folder": str(run.folder),
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


def _with_keys(stack: Stack, runs: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns KEYS of the run of each row."""
    if stack.table.empty:
        return pd.DataFrame(columns=[*KEYS, *stack.table.columns])
    of_row = np.repeat(np.arange(len(runs)), stack.rows)
    keys = {key: runs[key].array.take(of_row) for key in KEYS}
    return pd.DataFrame({**keys, **stack.table}, copy=False)  # a copy would take longest of all

"""Run folders, read as they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ntmbench.runs.folder import RunError, RunFolder
from ntmbench.runs.parsing import Csv, parse_tables
from ntmbench.runs.stored import ExampleFile, Stored, StoredRun
from ntmbench.runs.tables import table_bytes, table_digests


def read_folders(root: Path, tables: Mapping[str, Sequence[str]]) -> Stored:
    """Every run in a folder of run folders; ``tables`` are their tables' names and columns.

    A folder without a status is no run. In a folder that is called ``runs``, it is unreadable.
    """
    only_runs = root.resolve().name == "runs"
    runs: list[StoredRun] = []
    files: dict[str, list[Csv | None]] = {name: [] for name in tables}
    unreadable: dict[str, str] = {}
    for path in sorted(path for path in root.iterdir() if path.is_dir()):
        folder = RunFolder(path)
        try:
            status = folder.read_status()
            if not status:
                if only_runs:
                    unreadable[str(path)] = "no status.json"
                continue
            digests = table_digests(status)
            found = {name: _file(getattr(folder, name), digests) for name in tables}
            example = ExampleFile(folder.example) if folder.example.exists() else None
            active = status["state"] == "running" and folder.is_locked()
        except (RunError, OSError, KeyError) as error:
            unreadable[str(path)] = f"{type(error).__name__}: {error}"
            continue
        runs.append(StoredRun(path, status, active, example))
        for name, file in found.items():
            files[name].append(file)
    stacks = {}
    damaged: dict[int, str] = {}
    for name, columns in tables.items():
        stacks[name], faults = parse_tables(files[name], columns)
        damaged = faults | damaged
    unreadable |= {
        str(runs[place].folder): f"RunError: {reason}" for place, reason in damaged.items()
    }
    whole = [place for place in range(len(runs)) if place not in damaged]
    return Stored(runs, stacks, dict(sorted(unreadable.items()))).taken(whole)


def _file(path: Path, digests: Mapping[str, str]) -> Csv | None:
    content = table_bytes(path, digests)
    return None if content is None else Csv(path, content)

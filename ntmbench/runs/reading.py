"""Run folders, read as they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ntmbench.runs.digests import digests_in, read_together
from ntmbench.runs.folder import RunError, RunFolder
from ntmbench.runs.parsing import Csv, parse_tables
from ntmbench.runs.stored import ExampleFile, Stored, StoredRun


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
            paths = [getattr(folder, name) for name in tables]
            status, contents = read_together(folder, paths)
            if not status:
                if only_runs:
                    unreadable[str(path)] = "no status.json"
                continue
            example = ExampleFile(folder.example, digests=digests_in(status))
            active = status["state"] == "running" and folder.is_locked()
        except (RunError, OSError, KeyError) as error:
            unreadable[str(path)] = f"{type(error).__name__}: {error}"
            continue
        runs.append(StoredRun(path, status, active, example if example.path.exists() else None))
        for name, file, content in zip(tables, paths, contents, strict=True):
            files[name].append(None if content is None else Csv(file, content))
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

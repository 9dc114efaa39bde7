"""What the runs of a results folder are at, read from their folders again and again.

A run that has ended is read once, and again only if its status was replaced, so that a look at
1,000 runs is a look at 1,000 dates and at the few that are at work.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntmbench.runs.digests import read_together
from ntmbench.runs.folder import RunError, RunFolder


@dataclass(frozen=True)
class Watched:
    """A run at the moment.

    Attributes:
        name: its folder's.
        task, model, seed: as in its settings; empty and None where it is unreadable.
        state: running, interrupted, finished, diverged, failed or unreadable.
        done: sequences trained up to the last validation.
        sequences: all that it trains on at most.
        errors: at the last validation, per sequence; None before the first.
        seconds: its wall time up to the last validation, or to its end.
        reason: why it failed.
    """

    name: str
    task: str = ""
    model: str = ""
    seed: int | None = None
    state: str = "unreadable"
    done: int = 0
    sequences: int = 0
    errors: float | None = None
    seconds: float = 0.0
    reason: str = ""

    @property
    def seconds_left(self) -> float | None:
        """How long its training takes from the last validation on, at its pace so far, at most.

        None before there is a pace.
        """
        if not self.done or not self.seconds:
            return None
        return self.seconds / self.done * (self.sequences - self.done)


class Watcher:
    """Reads the runs of a results folder, and keeps what cannot have changed."""

    def __init__(self, results: Path) -> None:
        """Watch ``results``, whose folder ``runs`` may appear later."""
        self._runs = results / "runs"
        self._known: dict[str, tuple[tuple[int, int], Watched]] = {}

    def look(self) -> list[Watched]:
        """All runs, by name.

        Raises:
            OSError: if the folder of the runs cannot be read.
        """
        try:
            with os.scandir(self._runs) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir())
        except FileNotFoundError:
            return []
        self._known = {name: self._look_at(name) for name in names}
        return [watched for _, watched in self._known.values()]

    def _look_at(self, name: str) -> tuple[tuple[int, int], Watched]:
        folder = RunFolder(self._runs / name)
        try:
            found = folder.status.stat()
        except OSError as error:
            return (0, 0), Watched(name, reason=error.strerror or "no status.json")
        stamp = (found.st_mtime_ns, found.st_size)
        known = self._known.get(name)
        # A process may begin or end its work on a run that is not finished without a word.
        if known is not None and known[0] == stamp and known[1].state in ("finished", "diverged"):
            return known
        try:
            return stamp, _watched(folder)
        except (RunError, OSError) as error:
            return stamp, Watched(name, reason=str(error))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return stamp, Watched(name, reason=f"{type(error).__name__}: {error}")


def _watched(folder: RunFolder) -> Watched:
    status, (curve,) = read_together(folder, [folder.metrics])
    settings: Mapping[str, Any] = status["settings"]
    state = str(status["state"])
    if state in ("running", "failed"):
        at_work = folder.is_locked()
        state = "running" if at_work else "interrupted" if state == "running" else state
    point = _last_point(curve or b"")
    return Watched(
        folder.path.name,
        task=str(settings["task"]["name"]),
        model=str(settings["model"]["name"]),
        seed=int(settings["seed"]),
        state=state,
        done=int(point.get("sequences") or 0),
        sequences=int(settings["train"]["sequences"]),
        errors=float(point["errors"]) if point.get("errors") else None,
        seconds=float(status.get("wall_seconds") or 0),
        reason=str(status.get("error") or ""),
    )


def _last_point(curve: bytes) -> dict[str, str]:
    """The last row of a learning curve, by column; empty where there is none yet."""
    lines = curve.decode("utf-8", "replace").splitlines()
    if len(lines) < 2:
        return {}
    return next(csv.DictReader(io.StringIO(f"{lines[0]}\n{lines[-1]}\n")))

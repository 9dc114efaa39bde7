"""What is kept of many runs, in their folders or in an archive, before it becomes tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntmbench.runs.digests import Digests, checked

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ExampleFile:
    """Where the content of a run's ``example.npz`` lies: a file, or a stretch of an archive."""

    path: Path
    offset: int = 0
    #: Bytes; None for all up to the end of the file.
    size: int | None = None
    #: The digests in the run's status; empty in an archive, which has one of its own.
    digests: Digests = field(default_factory=dict)

    def read(self) -> bytes:
        """The content.

        Raises:
            OSError: if the file cannot be read.
            ChangedError: naming the file, if it is not what the run wrote.
        """
        with self.path.open("rb") as file:
            file.seek(self.offset)
            content = file.read(-1 if self.size is None else self.size)
        return checked(self.path, content, self.digests)


@dataclass(frozen=True)
class StoredRun:
    """A run as it was found.

    Attributes:
        folder: where its folder is, or would be beside the archive.
        status: what ``status.json`` holds.
        active: whether a process is at work on it.
        example: one answered test sequence, if the run has one.
    """

    folder: Path
    status: Mapping[str, Any]
    active: bool = False
    example: ExampleFile | None = None

    @property
    def name(self) -> str:
        """The name of the folder, which is the run's."""
        return self.folder.name


@dataclass(frozen=True)
class Stack:
    """The same table of many runs, one below the other.

    Attributes:
        table: the rows of all runs.
        rows: ``[runs]``, how many of them are each run's.
    """

    table: pd.DataFrame
    rows: Rows

    def taken(self, places: Sequence[int]) -> Stack:
        """The stack of the runs at these places, in this order."""
        if list(places) == list(range(len(self.rows))):
            return self
        ends = np.cumsum(self.rows)
        parts = [np.arange(ends[place] - self.rows[place], ends[place]) for place in places]
        chosen = np.concatenate([np.zeros(0, dtype=np.int64), *parts])
        table = self.table.take(chosen).reset_index(drop=True)
        return Stack(table, self.rows[np.array(places, dtype=np.int64)])


@dataclass(frozen=True)
class Stored:
    """Runs and their tables.

    Attributes:
        runs: each run, sorted by name.
        tables: of each name of a table, the rows of ``runs`` in their order.
        unreadable: folders that hold no readable run, and why.
    """

    runs: list[StoredRun]
    tables: dict[str, Stack]
    unreadable: dict[str, str]

    def taken(self, places: Sequence[int]) -> Stored:
        """The runs at these places, in this order."""
        return Stored(
            [self.runs[place] for place in places],
            {name: stack.taken(places) for name, stack in self.tables.items()},
            self.unreadable,
        )

    def beside(self, other: Stored) -> Stored:
        """The runs of both; one that is in both is as it is here."""
        here = {run.name for run in self.runs} | {Path(path).name for path in self.unreadable}
        added = other.taken([n for n, run in enumerate(other.runs) if run.name not in here])
        unreadable = {
            path: reason for path, reason in other.unreadable.items() if Path(path).name not in here
        }
        runs = self.runs + added.runs
        joined = Stored(
            runs,
            {name: joined_stacks([self.tables[name], added.tables[name]]) for name in self.tables},
            dict(sorted((self.unreadable | unreadable).items())),
        )
        return joined.taken(sorted(range(len(runs)), key=lambda place: runs[place].name))


def joined_stacks(stacks: Sequence[Stack]) -> Stack:
    """One stack of several."""
    filled = [stack.table for stack in stacks if len(stack.table)]  # an empty table has no types
    rows = np.concatenate([stack.rows for stack in stacks])
    return Stack(pd.concat(filled, ignore_index=True) if filled else stacks[0].table, rows)

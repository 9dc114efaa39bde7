"""The files of a sweep: which cells it has, and what became of each.

``cells.json`` in the sweep's folder is written before the first cell starts, ``<number>/cell.json``
when a cell starts and when it ends, and ``sweep.csv`` at the end.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntmbench.data.records import RecordError, read_record, write_record
from ntmbench.runs import digests

EXPECTED = "cells.json"
CELL = "cell.json"
TABLE = "sweep.csv"
#: The state of a cell whose file is damaged.
UNREADABLE = "unreadable"

#: What is known of a cell: its number, overrides, state and reason, and what became of its run.
Note = dict[str, Any]

#: The states of a cell that has ended, for good or ill, and is not run again in its sweep.
ENDED = (*digests.ENDED, "failed")


@dataclass(frozen=True)
class Expected:
    """The cells of a sweep, and the process that starts them.

    Attributes:
        cells: the overrides of each cell, in order; none where the sweeper chooses them as it goes.
        machine: the name of the machine on which the process runs.
        process: its number.
    """

    cells: list[str]
    machine: str
    process: int

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended, as far as that can be seen: on its machine."""
        if self.machine != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # somebody else's
            return False
        return False


def write_expected(sweep: Path, cells: Sequence[Sequence[str]]) -> None:
    """Note the overrides of all cells, and that this process starts them.

    What an earlier sweep noted in the same folder is removed: it says nothing of this one.
    """
    sweep.mkdir(parents=True, exist_ok=True)
    for earlier in sweep.glob(f"*/{CELL}"):
        earlier.unlink()
    content = {
        "machine": socket.gethostname(),
        "process": os.getpid(),
        "cells": [" ".join(overrides) for overrides in cells],
    }
    write_record(sweep / EXPECTED, content)


def read_expected(sweep: Path) -> Expected:
    """What ``write_expected`` noted.

    Raises:
        OSError: if there is no such file.
        RecordError: if it is damaged.
    """
    content = read_record(sweep / EXPECTED)
    try:
        cells = [str(cell) for cell in content["cells"]]
        return Expected(cells, str(content["machine"]), int(content["process"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{sweep / EXPECTED} is damaged.") from error


def write_note(folder: Path, note: Note) -> None:
    """Replace what is noted of a cell in its folder, ``<number>`` in the sweep's."""
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder / CELL, note)


def read_note(folder: Path) -> Note | None:
    """What is noted of a cell in its folder, or None if it has not started.

    Of a note that is damaged the number is known, and the reason tells the file.
    """
    path = folder / CELL
    try:
        note = read_record(path)
        if not {"cell", "overrides", "state"} <= note.keys():
            raise RecordError(f"{path} is not the note of a cell.")
    except FileNotFoundError:
        return None
    except RecordError as error:
        number = int(folder.name)
        return {"cell": number, "overrides": "", "state": UNREADABLE, "reason": str(error)}
    return note

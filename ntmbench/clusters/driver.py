"""The process that starts chunks of cells elsewhere, and accounts for every one of them.

What became of a cell is in its note, a file in the sweep's folder. A chunk also returns the notes
of its cells, over the scheduler's own channel, because a file that another machine wrote may appear
here late. Where a chunk was lost, the files are waited for a moment, and then its unfinished cells
are told as interrupted, with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from rich.console import Console

from ntmbench.clusters.chunks import Cell, cut, note_of
from ntmbench.commands.cells import ENDED, Note, write_note
from ntmbench.commands.sweeps import not_started
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.lock import LATE

#: Seconds between two looks at runs that are at work in other processes.
LOOK = 2.0


@dataclass(frozen=True)
class Returned:
    """A chunk that has ended.

    Attributes:
        cells: its cells.
        notes: what is noted of each; none if the chunk was lost.
        reason: why it was lost, such as "Slurm job 12_3 ended as TIMEOUT".
    """

    cells: list[Cell]
    notes: list[Note]
    reason: str = ""


#: Starts chunks elsewhere, and gives each as it ends, lost ones too. It raises nothing but what
#: stops the whole sweep.
Start = Callable[[list[list[Cell]]], Iterator[Returned]]


def numbered(job_overrides: Sequence[Sequence[str]], first: int) -> list[Cell]:
    """The cells that Hydra hands to a launcher, with their numbers."""
    return [Cell(first + i, list(overrides)) for i, overrides in enumerate(job_overrides)]


def run_in_chunks(
    sweep: Path, cells: Sequence[Cell], size: int, start: Start, console: Console
) -> list[JobReturn]:
    """Run all cells in chunks of ``size``; every one has a note in the sweep's folder at the end.

    A cell whose run another process has locked, such as a job of an earlier sweep whose driver was
    killed, is run again when that process has ended, and is then mostly done already.

    Returns what Hydra wants of a launcher. The list holds no results; they are in the notes.
    """
    due = list(cells)
    while due:
        for returned in start(cut(due, size)):
            settle(sweep, returned)
        due = [cell for cell in due if _note(sweep, cell).get("state") == "held"]
        _wait_for_others(sweep, due, console)
    return [JobReturn(status=JobStatus.COMPLETED) for _ in cells]


def settle(sweep: Path, returned: Returned) -> None:
    """Bring the notes of a chunk's cells up to what is known of them."""
    if returned.notes:
        for cell, note in zip(returned.cells, returned.notes, strict=True):
            if _note(sweep, cell) != note:
                write_note(sweep / str(cell.number), note)
        return
    patience = time.monotonic() + LATE
    for cell in returned.cells:
        note = _note(sweep, cell)
        while note.get("state") not in ENDED and time.monotonic() < patience:
            time.sleep(0.1)
            note = _note(sweep, cell)
        if not note:
            note = not_started(cell.number, cell.overrides)
        elif note["state"] in ("running", "held"):  # held in an earlier round
            note["state"] = "interrupted"
        if note["state"] not in ENDED:
            note["reason"] = returned.reason
            write_note(sweep / str(cell.number), note)


def _note(sweep: Path, cell: Cell) -> Note:
    return note_of(sweep, cell) or {}


def _wait_for_others(sweep: Path, held: Sequence[Cell], console: Console) -> None:
    """Wait until no process is at work on the runs of these cells."""
    folders = [RunFolder(Path(_note(sweep, cell)["folder"])) for cell in held]
    if held:
        subject = "1 cell is" if len(held) == 1 else f"{len(held)} cells are"
        console.print(f"{subject} at work in other processes, which are waited for.")
    while any(folder.is_locked() for folder in folders):
        time.sleep(LOOK)

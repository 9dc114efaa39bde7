"""Chunks that are lost: which of their cells run again, and which are given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ntmbench.clusters.chunks import Cell, note_of
from ntmbench.commands.cells import ENDED, write_note
from ntmbench.commands.sweeps import not_started


@dataclass
class Retries:
    """How often the process of a cell died while it ran, and how often it may.

    The cell that ran takes the blame, so that one that crashes does not take the other cells of its
    chunk with it.

    Attributes:
        sweep: the sweep's folder.
        allowed: how often a cell is run again; -1 stands for any number.
        used: how often each cell was.
    """

    sweep: Path
    allowed: int
    used: Counter[int] = field(default_factory=Counter)

    def after_loss(self, chunk: Sequence[Cell], reason: str) -> list[Cell]:
        """The cells of a chunk that run again after its process died; others are noted as failed.

        A chunk that died before its first cell began counts against that cell.
        """
        left = self.unfinished(chunk)
        running = [cell for cell in left if _state(self.sweep, cell) == "running"]
        self.used.update(cell.number for cell in running or left[:1])
        spent = [cell for cell in left if 0 <= self.allowed < self.used[cell.number]]
        for cell in spent:
            self.give_up([cell], f"its process died {_times(self.used[cell.number])}: {reason}")
        return [cell for cell in left if cell not in spent]

    def unfinished(self, chunk: Sequence[Cell]) -> list[Cell]:
        """The cells of a chunk that have not ended."""
        return [cell for cell in chunk if _state(self.sweep, cell) not in ENDED]

    def give_up(self, cells: Sequence[Cell], reason: str) -> None:
        """Note cells as failed."""
        for cell in cells:
            note = note_of(self.sweep, cell) or not_started(cell.number, cell.overrides)
            failed = {**note, "state": "failed", "reason": reason}
            write_note(self.sweep / str(cell.number), failed)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _state(sweep: Path, cell: Cell) -> str | None:
    note = note_of(sweep, cell)
    return None if note is None else str(note["state"])

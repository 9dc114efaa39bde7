"""A run's folder: its files, its status, its lock.

The folder ``<results_dir>/runs/<task>-<model>-s<seed>-<hash>/`` has ``config.yaml`` (every
setting), ``status.json``, ``metrics.csv`` (the learning curve, on validation data),
``evaluation.csv`` (the test grid), ``positions.csv`` (the same by step of the answer),
``variations.csv`` (tests beyond the grid, if the task names any), ``look.csv`` (errors against
position, gap and duplicates, on validation data), ``heads.csv`` (how a memory's heads were used, if
it has any), ``example.npz`` (one answered test sequence), ``checkpoint.pt``, ``log.txt`` and
``plots/``.

The folder may lie on a file system that several machines share. Every file but the log is replaced
by a rename, so that each of them sees the old or the new content, and the lock keeps all but one
from writing (``ntmbench.data.files``, ``ntmbench.runs.lock``). Times in the files are those of the
machine that wrote them; nothing is decided by comparing them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntmbench.data.files import write_bytes
from ntmbench.data.records import RecordError, read_record, write_record
from ntmbench.errors import UserError
from ntmbench.runs.lock import TakenError, held, is_held

#: The file that a process locks while it is at work on a run.
LOCK = ".lock"


class RunError(UserError):
    """A run's folder cannot be used."""


class HeldError(RunError):
    """Another process is at work on the run."""


def check_folder(results_dir: Path) -> Path:
    """Return a results folder's nearest part that exists; refuse one that cannot be a folder.

    Raises:
        RunError: naming the folder.
    """
    nearest = results_dir.absolute()
    while not (nearest.exists() or nearest.is_symlink()) and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.exists():
        raise RunError(f"results_dir={results_dir}: {nearest} is a link that leads nowhere.")
    if not nearest.is_dir():
        raise RunError(f"results_dir={results_dir}: {nearest} is a file, not a folder.")
    return nearest


def check_writable(results_dir: Path) -> None:
    """Refuse a results folder that cannot be made or written, without making it.

    Raises:
        RunError: naming the folder.
    """
    nearest = check_folder(results_dir)
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
        """The test grid's errors by step of the answer."""
        return self.path / "positions.csv"

    @property
    def variations(self) -> Path:
        """Tests beyond the grid, if the task names any."""
        return self.path / "variations.csv"

    @property
    def look(self) -> Path:
        """Errors against position, gap and duplicates; see ``ntmbench.evaluation.look.bins``."""
        return self.path / "look.csv"

    @property
    def heads(self) -> Path:
        """How the heads of a memory were used; see ``ntmbench.evaluation.look.heads``."""
        return self.path / "heads.csv"

    @property
    def example(self) -> Path:
        """One test sequence as it was answered, see ``ntmbench.evaluation.example``."""
        return self.path / "example.npz"

    @property
    def tested(self) -> Path:
        """The lengths that are tested so far, until the test grid is whole."""
        return self.path / "tested.json"

    @property
    def tests(self) -> tuple[Path, ...]:
        """The results of testing the selected weights: the files that are made after training."""
        tables = self.positions, self.variations, self.look, self.heads
        return self.tested, *tables, self.example, self.evaluation

    @property
    def checkpoint(self) -> Path:
        """Weights, optimizer and counters; at the end also the selected weights."""
        return self.path / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """The log of the run."""
        return self.path / "log.txt"

    @property
    def plots(self) -> Path:
        """Pictures of the run."""
        return self.path / "plots"

    def read_status(self) -> dict[str, Any]:
        """The status, or an empty dict if the run has not begun.

        Raises:
            RunError: if the file is there but is not a status.
        """
        try:
            status = read_record(self.status)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise RunError(f"{self.status} cannot be read: {error}") from error
        except RecordError as error:
            raise RunError(f"{error} Move it away; the run's command makes it anew.") from error
        if "state" not in status:
            raise RunError(f"{self.status} is not the status of a run.")
        return status

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Replace the status."""
        write_record(self.status, status)

    def write_table(self, path: Path, table: pd.DataFrame) -> None:
        """Replace one of the folder's CSV files."""
        write_bytes(path, csv_bytes(table))

    def write_arrays(self, path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace one of the folder's files by named arrays."""
        write_bytes(path, npz_bytes(arrays))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the run for this process, however it ends; see ``ntmbench.runs.lock``.

        Raises:
            HeldError: if another process has locked it.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(held(self.path / LOCK))
            except TakenError as error:
                by = f" ({error})" if str(error) else ""
                raise HeldError(
                    f"Another process{by} is at work on this run: {self.path}. "
                    "Wait for it, or stop it; it resumes with the same command."
                ) from error
            yield

    def is_locked(self) -> bool:
        """Whether a process is at work on the run."""
        return is_held(self.path / LOCK)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as CSV; floats keep all their digits."""
    return table.to_csv(index=False).encode()


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays, compressed; the same arrays give the same bytes."""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()

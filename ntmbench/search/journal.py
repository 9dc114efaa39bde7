"""The journal of a study: a line of JSON for each thing that happened, with a digest of the line.

Optuna's own file takes a flipped digit as it is, and cannot be read any more once a process was
killed, or the disk was full, in the middle of a line. The lines are the same but for the digest, so
that journals of earlier versions are read, and Optuna reads these.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from ntmbench.data.records import sealed, unsealed
from ntmbench.runs import lock


class Journal(BaseJournalBackend):
    """A journal that several processes read and write."""

    def __init__(self, path: Path) -> None:
        """Take the file, which is made with the first line."""
        self._path = path
        #: Where each line begins that was read so far.
        self._starts = [0]

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """What happened from a number on. A line without an end is being written, or never was.

        Raises:
            RecordError: naming file and line, if a line is damaged.
        """
        if not self._path.exists():
            return
        known = min(log_number_from, len(self._starts) - 1)
        with self._path.open("rb") as file:
            file.seek(self._starts[known])
            for number, line in enumerate(file, start=known):
                if not line.endswith(b"\n"):
                    return
                if number + 1 == len(self._starts):
                    self._starts.append(self._starts[number] + len(line))
                if number >= log_number_from:
                    yield unsealed(line, f"Line {number + 1} of {self._path}")

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add what happened; first remove the part of a line that a killed process left.

        Raises:
            OSError: if the file cannot be written.
        """
        lines = b"".join(json.dumps(sealed(log)).encode() + b"\n" for log in logs)
        with lock.waited_for(self._path.with_name(".journal.lock")), self._path.open("ab") as file:
            file.truncate(_whole_lines(self._path))
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def _whole_lines(path: Path) -> int:
    """The number of bytes up to the end of the last whole line."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 1))
        if size == 0 or file.read(1) == b"\n":
            return size
    return path.read_bytes().rfind(b"\n") + 1

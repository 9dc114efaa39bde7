"""Files that are whole or absent: written beside, flushed to the disk, then renamed into place."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

#: Ends the name of a file that is not whole yet.
SUFFIX = ".part"
#: How often a file that is replaced again and again is opened anew.
STALE_READS = 3


def write_atomically(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Replace ``path`` by what ``write`` puts into a binary file.

    ``path`` holds either its old or its new content at any moment, even after a power cut or on a
    full disk.

    Raises:
        OSError: naming ``path``, if it cannot be written; the old content then remains.
    """
    try:
        _write_beside(path, write)
    except OSError as error:  # names no file, or the temporary one
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def read_bytes(path: Path) -> bytes:
    """The content of a file that another machine may replace meanwhile.

    A file that was replaced while it was read is "stale" on a network file system: it is opened
    again, under the same name.

    Raises:
        OSError: if it cannot be read.
    """
    for _ in range(STALE_READS):
        try:
            return path.read_bytes()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
    return path.read_bytes()


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of killed writers from ``folder``; no writer may be at work."""
    for path in folder.glob(f".*{SUFFIX}"):
        path.unlink()


def _write_beside(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=SUFFIX)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner reads
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in UTF-8, atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``, atomically."""

    def write(file: IO[bytes]) -> None:
        file.write(content)

    write_atomically(path, write)

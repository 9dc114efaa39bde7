"""Digests of a run's files, which its status holds: a file that anything else changed is found out.

The status names the digest that a file is about to have, beside the one that it has until then, and
only then the file is replaced. So a run that was killed in between is as whole as any other. Runs
of earlier versions have digests of their tables once they have ended, or none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ntmbench.data.files import read_bytes
from ntmbench.runs.folder import RunError, RunFolder

#: By the name of a file the digests that it may have.
Digests = Mapping[str, Sequence[str]]

#: The states of a run that needs nothing more.
ENDED = ("finished", "diverged")
REMEDY = "rerun=true makes it anew."
#: How often the files of a run that replaces them meanwhile are read.
LOOKS = 20


class ChangedError(RunError):
    """A file is not as the run wrote it."""


def digest_of(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def digests_in(status: Mapping[str, Any]) -> dict[str, list[str]]:
    """The digests in a run's status; none of an earlier version's run that has not ended.

    Raises:
        RunError: if the status holds something else in their place.
    """
    ended = status.get("state") in ENDED
    digests = status.get("digests", status.get("tables", {}) if ended else {})
    if not isinstance(digests, dict) or not all(
        isinstance(of, str | list) for of in digests.values()
    ):
        raise RunError("The digests of the files in status.json are damaged.")
    # An earlier version wrote one digest for each table.
    return {name: [of] if isinstance(of, str) else list(of) for name, of in digests.items()}


def checked(path: Path, content: bytes, digests: Digests) -> bytes:
    """The content of a run's file, if it is what the run wrote, or if there is no digest.

    Raises:
        ChangedError: naming the file.
    """
    allowed = digests.get(path.name)
    if allowed is not None and digest_of(content) not in allowed:
        raise ChangedError(
            f"{path} has changed since the run wrote it: its digest does not match. {REMEDY}"
        )
    return content


def checked_bytes(path: Path, digests: Digests, *, needed: bool) -> bytes | None:
    """The content of a run's file as the run wrote it; None if the run has none.

    ``needed`` tells whether a file that has a digest must be there.

    Raises:
        RunError: naming the file, if it cannot be read, is missing, or is not what the run wrote.
    """
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        if needed and path.name in digests:
            raise ChangedError(f"{path} is missing. {REMEDY}") from None
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    return checked(path, content, digests)


def read_together(
    folder: RunFolder, paths: Sequence[Path]
) -> tuple[dict[str, Any], list[bytes | None]]:
    """A run's status and the content of some of its files, which the status vouches for.

    A run at work replaces them meanwhile; they are then read again. The status of a run that has
    not begun is empty, and nothing else of it is read.

    Raises:
        RunError: naming the file that cannot be read or is not what the run wrote.
    """
    status = folder.read_status()
    for _ in range(LOOKS):
        ended = status.get("state") in ENDED
        try:
            digests = digests_in(status)
            found = [checked_bytes(path, digests, needed=ended) for path in paths if status]
        except ChangedError:
            before, status = status, folder.read_status()
            if status == before:  # the run did not change the file
                raise
        else:
            return status, found
    raise RunError(f"{folder.path} is replaced faster than it can be read.")

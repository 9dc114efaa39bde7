"""The CSV tables of a run's folder: read as the run wrote them, or refused by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ntmbench.data.files import read_bytes
from ntmbench.runs.folder import RunError

#: Names of columns in the tables of earlier versions.
EARLIER_NAMES = {"wrong_bits": "errors", "chance_wrong_bits": "chance_errors"}
#: The states of a run that needs nothing more.
ENDED = ("finished", "diverged")
REMEDY = "rerun=true makes it anew."
#: Columns that hold text; all others hold numbers.
TEXT_COLUMNS = ("variation",)


def digests_of(paths: Iterable[Path]) -> dict[str, str]:
    """The digest of each table that is there, by the file's name, for the run's status."""
    return {path.name: _digest(path.read_bytes()) for path in paths if path.exists()}


def table_digests(status: Mapping[str, Any]) -> dict[str, str]:
    """The digests of a run's tables; none before its end, or if an earlier version ran it.

    Raises:
        RunError: if the status holds something else in their place.
    """
    digests = status.get("tables", {}) if status["state"] in ENDED else {}
    if not isinstance(digests, dict):
        raise RunError("The digests of the tables in status.json are damaged.")
    return digests


def table_bytes(path: Path, digests: Mapping[str, str]) -> bytes | None:
    """The content of a table's file as the run wrote it; None if the run has none.

    ``digests`` are those of the run's status, empty for a run that has not ended or is of an
    earlier version: then nothing is compared.

    Raises:
        RunError: naming the file, if it cannot be read or has changed since the run ended.
    """
    digest = digests.get(path.name)
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        if digest is not None:
            raise RunError(f"{path} is missing. {REMEDY}") from None
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    if digest is not None and digest != _digest(content):
        raise RunError(
            f"{path} has changed since the run ended: its digest does not match. {REMEDY}"
        )
    return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

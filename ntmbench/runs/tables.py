"""The CSV tables of a run's folder: read as the run wrote them, or refused by name."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ntmbench.runs.folder import RunError

#: Names of columns in the tables of earlier versions.
EARLIER_NAMES = {"wrong_bits": "errors", "chance_wrong_bits": "chance_errors"}
#: Columns that hold text; all others hold numbers.
TEXT_COLUMNS = ("variation",)


def digests_of(paths: Iterable[Path]) -> dict[str, str]:
    """The digest of each table that is there, by the file's name, for the run's status."""
    return {path.name: _digest(path.read_bytes()) for path in paths if path.exists()}


def read_table(
    path: Path,
    columns: Iterable[str],
    digests: Mapping[str, str],
    dtypes: Mapping[str, Any] | None = None,
) -> pd.DataFrame | None:
    """Read a table, in the form of this version or an earlier one; None if the run has none.

    ``digests`` are those of the run's status, empty for a run that has not ended or is of an
    earlier version: then only the table's form is checked.

    Raises:
        RunError: naming the file, if it cannot be read, is no such table, or has changed since the
            run ended.
    """
    remedy = "rerun=true makes it anew."
    digest = digests.get(path.name)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if digest is not None:
            raise RunError(f"{path} is missing. {remedy}") from None
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    if digest is not None and digest != _digest(content):
        raise RunError(
            f"{path} has changed since the run ended: its digest does not match. {remedy}"
        )
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=dtypes)
    except ValueError as error:  # pandas' errors and those of UTF-8 are of this kind
        reason = " ".join(str(error).split())
        raise RunError(f"{path} is not a table: {reason}. {remedy}") from error
    table = table.rename(columns=EARLIER_NAMES)
    if missing := [column for column in columns if column not in table]:
        raise RunError(f"{path} has no column {', '.join(missing)}. {remedy}")
    if table.empty:
        raise RunError(f"{path} has no rows. {remedy}")
    for column in columns:
        if column not in TEXT_COLUMNS and not pd.api.types.is_numeric_dtype(table[column]):
            raise RunError(f"{path} holds what is no number in column {column}. {remedy}")
    return table


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

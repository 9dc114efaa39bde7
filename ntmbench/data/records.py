"""JSON files that tell whether they are as they were written: an object, and a digest of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ntmbench.data.files import read_bytes, write_text
from ntmbench.errors import UserError

#: The key of the digest.
DIGEST = "digest"


class RecordError(UserError, ValueError):
    """A record is not as it was written. The message names the file."""


def write_record(path: Path, values: Mapping[str, Any]) -> None:
    """Replace ``path`` by plain values, atomically."""
    write_text(path, json.dumps(sealed(values), indent=2) + "\n")


def read_record(path: Path) -> dict[str, Any]:
    """What ``write_record`` wrote. Nothing is compared in a file of an earlier version.

    Raises:
        OSError: if the file cannot be read.
        RecordError: if it is damaged.
    """
    return unsealed(read_bytes(path), str(path))


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with their digest."""
    return {**values, DIGEST: _digest(values)}


def unsealed(text: bytes, name: str) -> dict[str, Any]:
    """The values in a text of JSON, without their digest; ``name`` says where it stands.

    Raises:
        RecordError: if the text is damaged.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, or nested without end
        raise RecordError(f"{name} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise RecordError(f"{name} holds no named values.")
    digest = values.pop(DIGEST, None)
    if digest is not None and digest != _digest(values):
        raise RecordError(f"{name} is damaged: its digest does not match.")
    return values


def _digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of the values, whatever the order and the spaces between them."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()

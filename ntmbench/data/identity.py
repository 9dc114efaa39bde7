"""Identity: which settings can change a run's numbers, and a short name that stands for them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any


def identity_of(settings: Any) -> dict[str, Any]:
    """The fields of a settings dataclass that belong to a run's identity, as plain values.

    Left out are those marked with ``metadata={"identity": False}``, which change no number.
    """
    values = dataclasses.asdict(settings)
    return {
        field.name: values[field.name]
        for field in dataclasses.fields(settings)
        if field.metadata.get("identity", True)
    }


def fingerprint(values: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that stand for plain values, whatever their order."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]

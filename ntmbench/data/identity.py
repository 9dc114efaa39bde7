"""Identity: which settings can change a run's numbers, and a short name that stands for them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any


def identity_of(settings: Any) -> dict[str, Any]:
    """The fields of a settings dataclass that belong to a run's identity, as plain values.

    Two kinds of fields are left out. Those marked with ``metadata={"identity": False}`` change no
    number, such as the NTM's engine. Those marked with ``metadata={"added_later": True}`` are left
    out while they have their default, so that runs finished before the setting existed keep their
    names.
    """
    values = dataclasses.asdict(settings)
    return {f.name: values[f.name] for f in dataclasses.fields(settings) if _counts(f, settings)}


def _counts(field: dataclasses.Field[Any], settings: Any) -> bool:
    if not field.metadata.get("identity", True):
        return False
    if not field.metadata.get("added_later", False):
        return True
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return bool(getattr(settings, field.name) != default)


def fingerprint(values: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that stand for plain values, whatever their order."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]

"""What a campaign of faults is: so many of a kind, counted in a line, and each one that is told."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tests.faults


@dataclass(frozen=True)
class Fault:
    """Something that ended as it should not: how to repeat it, and what was seen."""

    repeat: str
    told: str


@dataclass(frozen=True)
class Counted:
    """How a campaign went: its counts in a line, and its faults."""

    line: str
    faults: list[Fault]


@dataclass(frozen=True)
class Campaign:
    """Faults of a kind.

    Attributes:
        run: counts so many of them, the same ones for the same seed.
        short: how many of them the fast tests run; 0 for a campaign that is slow in any form.
        slow: how many the slow tests run.
        whole: how many ``python -m tests.faults`` runs.
    """

    run: Callable[[int, int], Counted]
    short: int
    slow: int
    whole: int


def campaigns() -> dict[str, Campaign]:
    """Every campaign, by the name of its file: one that defines CAMPAIGN."""
    found: dict[str, Any] = {
        module.name: importlib.import_module(f"{tests.faults.__name__}.{module.name}")
        for module in pkgutil.iter_modules(tests.faults.__path__)
        if not module.name.startswith(("_", "test_"))
    }
    return {name: module.CAMPAIGN for name, module in found.items() if hasattr(module, "CAMPAIGN")}

"""Ranges: what a search may try for a setting, declared where the setting is.

A field of a dataclass of settings declares one in its metadata::

    learning_rate: float = field(default=5e-4, metadata=searched(LogRange(1e-4, 3e-2)))
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

#: The key of a field's metadata.
KEY = "search"


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; whole ones if both ends are ``int``."""

    low: float
    high: float

    def holding(self, value: Any) -> Range:
        """The range itself, or one that is just wide enough for ``value``."""
        return dataclasses.replace(self, low=min(self.low, value), high=max(self.high, value))


@dataclass(frozen=True)
class LogRange(Range):
    """Numbers of which a search tries as many between 1 and 10 as between 10 and 100.

    ``low`` must be above 0.
    """

    def holding(self, value: Any) -> Range:
        """The range itself, or one that is just wide enough for ``value`` if that is above 0."""
        return super().holding(value) if value > 0 else self


@dataclass(frozen=True)
class Choice:
    """A few values, without an order."""

    values: tuple[Any, ...]

    def holding(self, value: Any) -> Choice:
        """The values, with ``value`` at the end if it is not among them."""
        return self if value in self.values else Choice((*self.values, value))


Searched = Range | LogRange | Choice


def searched(values: Searched) -> dict[str, Searched]:
    """The metadata of a field that a search may vary."""
    return {KEY: values}


def declared(settings: type) -> dict[str, Searched]:
    """The ranges that a dataclass of settings declares, by field."""
    return {
        field.name: field.metadata[KEY]
        for field in dataclasses.fields(settings)
        if KEY in field.metadata
    }

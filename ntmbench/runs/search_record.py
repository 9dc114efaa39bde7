"""What a search for settings took and found: stated by a recipe, noted by the runs that take it.

It changes no number and belongs to no identity. A recipe states it under the name of the search::

    searches:
      learning_rates/lstm:
        trials: 5
        sequences: {copy: 120000, recall: 100000}
        seeds: [101]
        total_sequences: 1100000
        ended: "2026-11-22"
        command: python -m ntmbench -m +experiment=learning_rates/lstm
        found: {train.learning_rate: 0.01}

A run may differ from the recipe, so that ``found`` says which of its settings rest on the search:
those that have the value that was found.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ntmbench.errors import SettingError, check_known, check_list, check_types, check_whole

#: The setting of a run under which its recipe states searches.
SEARCHES = "searches"


@dataclass(frozen=True)
class SearchRecord:
    """One search."""

    #: Settings that were tried, those that were pruned included, and failed ones not.
    trials: int
    #: Training sequences of a trial that is not pruned, on each seed; by task, where a trial was
    #: trained on several.
    sequences: Mapping[str, int]
    #: The seeds on which each trial was trained.
    seeds: tuple[int, ...]
    #: Training sequences of all trials.
    total_sequences: int
    #: The day on which the last trial ended, as in 2026-11-22.
    ended: str
    #: The command line that searched.
    command: str
    #: The values that were found, by the settings' names on the command line.
    found: Mapping[str, Any]
    #: Trials that were ended early because they did worse than others.
    pruned: int = 0
    #: Trials that could not be trained.
    failed: int = 0

    def held(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What was found and is so in a run's identity."""
        return {name: value for name, value in self.found.items() if _has(settings, name, value)}

    def plain(self) -> dict[str, Any]:
        """The record as a recipe and ``status.json`` have it."""
        return {**dataclasses.asdict(self), "seeds": list(self.seeds)}


def search_records(values: Any) -> dict[str, SearchRecord]:
    """The records of ``searches``, by name.

    Raises:
        SettingError: for an unknown key, one that is missing, a wrong type or a value out of range.
    """
    named = _mapping(SEARCHES, values)
    return {str(name): _record(f"{SEARCHES}.{name}", record) for name, record in named.items()}


def _record(owner: str, values: Any) -> SearchRecord:
    given = dict(_mapping(owner, values))
    fields = dataclasses.fields(SearchRecord)
    for name in given:
        check_known(owner, name, [field.name for field in fields])
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in given:
            raise SettingError(f"{owner} says nothing of '{field.name}', which it must.")
    check_types(owner, SearchRecord, given)
    for name in ("trials", "total_sequences", "pruned", "failed"):
        check_whole(f"{owner}.{name}", given.get(name, 0), 0)
    for task, sequences in _mapping(f"{owner}.sequences", given["sequences"]).items():
        check_whole(f"{owner}.sequences.{task}", sequences, 1)
    for seed in check_list(f"{owner}.seeds", given["seeds"]):
        check_whole(f"{owner}.seeds", seed, 0)
    given["seeds"] = tuple(given["seeds"])
    _mapping(f"{owner}.found", given["found"])
    return SearchRecord(**given)


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(f"{name}={value!r} has no names. Allowed: name: value for each of them.")
    return value


def _has(settings: Mapping[str, Any], name: str, value: Any) -> bool:
    part, _, field = name.partition(".")
    of_part = settings.get(part)
    return isinstance(of_part, Mapping) and field in of_part and bool(of_part[field] == value)

"""What was spent on finding settings, as the runs note it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ntmbench.report.study.grouping import GROUP, groups
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.runs.search_record import SearchRecord

#: Of a group of runs and a search of theirs; ``sequences`` are those of a trial, on each seed.
COLUMNS = [*GROUP, "runs", "search", "trials", "pruned", "failed", "tasks", "sequences", "seeds"]
COLUMNS += ["reported_seeds", "total_sequences", "ended", "found", "changed", "command"]


@once
def searches_table(study: Study) -> pd.DataFrame:
    """A row for each group of runs and search that a setting of theirs comes from.

    ``tasks`` are those that the search looked at. Seeds of the search that are among the group's
    own are ``reported_seeds``. ``found`` are the
    values that the runs have from the search, and ``changed`` the settings that it found other
    values for. A contestant has a row without a search for runs that note none. The table is empty
    where no run notes a search.
    """
    if not study.searches:
        return pd.DataFrame(columns=COLUMNS)
    rows = [row for group in groups(study.runs) for row in _rows(study, *group)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(
    study: Study, section: str, label: str, members: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    group = {"section": section, "label": label}
    noted: dict[tuple[str, str], list[str]] = {}
    for run in members["run"]:
        for name, record in study.searches.get(run, {}).items():
            noted.setdefault((name, json.dumps(record.plain(), sort_keys=True)), []).append(run)
    for (name, _), runs in noted.items():
        record = study.searches[runs[0]][name]
        of_run = _of_group(record, study.settings[runs[0]], set(members["seed"]))
        yield {**group, "runs": len(runs), "search": name, **of_run}
    without = sum(run not in study.searches for run in members["run"])
    if without and not members["control"].all():
        yield {**group, "runs": without}


def _of_group(
    record: SearchRecord, settings: Mapping[str, Any], reported: set[int]
) -> dict[str, Any]:
    held = record.held(settings)
    return {
        **dataclasses.asdict(record),
        "tasks": _listed(record.sequences),
        "sequences": record.sequences.get(settings["task"]["name"]),
        "seeds": _listed(record.seeds),
        "reported_seeds": _listed(seed for seed in record.seeds if seed in reported),
        "found": _listed(f"{name}={value}" for name, value in held.items()),
        "changed": _listed(name for name in record.found if name not in held),
    }


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))

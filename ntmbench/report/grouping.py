"""Which runs belong together: those that differ in their seed alone.

A *section* is a task with its settings, a *label* a model with its own and the training's settings.
Both are named by the settings in which they differ from others of the same task or model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

#: What the runs of a group share, in the order of every table.
GROUP = ["section", "label"]


def with_groups(runs: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Add the columns ``section`` and ``label`` to ``Results.runs``, and sort by them and the seed.

    ``settings`` is ``Results.settings``: of each run, its identity.
    """
    grouped = runs.copy()
    tasks = {run: _flat(settings[run], ("task",)) for run in runs["run"]}
    grouped["section"] = _labels(grouped, ["task"], tasks)
    models = {run: _flat(settings[run], ("model", "train", "evaluation")) for run in runs["run"]}
    grouped["label"] = _labels(grouped, ["section", "model"], models)
    # Values of different types can look alike.
    alike = grouped.groupby(GROUP)["setting"].transform("nunique") > 1
    told_apart = grouped["label"] + " [" + grouped["setting"] + "]"
    grouped["label"] = grouped["label"].mask(alike, told_apart)
    return grouped.sort_values([*GROUP, "seed", "run"], ignore_index=True)


def groups(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The section, the label and the rows of each group of a table with the columns GROUP."""
    for _, rows in table.groupby(GROUP):
        yield rows["section"].iloc[0], rows["label"].iloc[0], rows


def _flat(identity: Mapping[str, Any], parts: tuple[str, ...]) -> dict[str, str]:
    """Settings as text under the names that the command line has for them."""
    return {
        f"{part}.{name}": value if isinstance(value, str) else json.dumps(value)
        for part in parts
        if isinstance(identity.get(part), Mapping)
        for name, value in identity[part].items()
        if name != "name"
    }


def _labels(
    runs: pd.DataFrame, names: list[str], settings: Mapping[str, dict[str, str]]
) -> pd.Series[str]:
    """``name (setting=value, ...)`` for each run: the settings that differ among those that share
    the columns ``names``, of which the last is the name.
    """
    labels: dict[str, str] = {}
    for _, members in runs.groupby(names):
        name = str(members[names[-1]].iloc[0])
        of_members = {run: settings[run] for run in members["run"]}
        keys = dict.fromkeys(key for values in of_members.values() for key in values)
        differing = [
            key for key in keys if len({values.get(key) for values in of_members.values()}) > 1
        ]
        for run, values in of_members.items():
            told = [
                f"{key.removeprefix('model.').removeprefix('task.')}={values[key]}"
                for key in differing
                if key in values
            ]
            labels[run] = f"{name} ({', '.join(told)})" if told else name
    return runs["run"].map(labels).astype("str")  # text also where there are no runs

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
    tasks = {run: _flat(identity, ("task",)) for run, identity in settings.items()}
    models = {
        run: _flat(identity, ("model", "train", "evaluation")) for run, identity in settings.items()
    }
    grouped = runs.copy()
    grouped["section"] = _labels(runs["run"], runs["task"], tasks)
    grouped["label"] = _labels(runs["run"], grouped["section"] + "\0" + runs["model"], models)
    grouped["label"] = grouped["label"].str.partition("\0")[2]
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
    runs: pd.Series[str], names: pd.Series[str], settings: Mapping[str, dict[str, str]]
) -> pd.Series[str]:
    """``name (setting=value, ...)`` for each run, with the settings that differ under that name."""
    labels = {}
    for name, members in runs.groupby(names):
        of_members = [settings[run] for run in members]
        keys = list(dict.fromkeys(key for values in of_members for key in values))
        differing = [key for key in keys if len({values.get(key) for values in of_members}) > 1]
        for run in members:
            told = [
                f"{key.removeprefix('model.').removeprefix('task.')}={settings[run][key]}"
                for key in differing
                if key in settings[run]
            ]
            labels[run] = f"{name} ({', '.join(told)})" if told else str(name)
    return runs.map(labels)

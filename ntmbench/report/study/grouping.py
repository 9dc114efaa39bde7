"""Which runs belong together: those that differ in their seed alone.

The column ``section`` names a task with its settings, the column ``label`` a model with its own
settings and those of training. Both names have the fewest settings that tell one from others of the
same task or model, and leave out the values that most of them share: where one setting at a time
was varied around a recipe, the recipe goes by the model's bare name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

#: What the runs of a group share.
GROUP = ["section", "label"]

#: The parts of an identity that tell a model from others of its name.
PARTS_OF_LABEL = ("model", "train", "evaluation")

#: Tasks in the order of the NTM paper, and models from the one that the suite is about; any others
#: follow in the alphabet's.
ORDER = {
    "task": ("copy", "repeat_copy", "recall", "ngrams", "priority_sort", "sorting"),
    "model": ("ntm", "lstm", "seq2seq"),
}


def with_groups(runs: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Add the columns ``section`` and ``label`` to ``Results.runs``; sort by ORDER and the seed.

    ``settings`` is ``Results.settings``: of each run, its identity.
    """
    grouped = runs.copy()
    tasks = {run: flat_settings(settings[run], ("task",)) for run in runs["run"]}
    grouped["section"] = _labels(grouped, ["task"], tasks)
    models = {run: flat_settings(settings[run], PARTS_OF_LABEL) for run in runs["run"]}
    grouped["label"] = _labels(grouped, ["section", "model"], models)
    # Values of different types can look alike.
    alike = grouped.groupby(GROUP)["setting"].transform("nunique") > 1
    # One by one: with pyarrow, pandas 3.0 cannot add up the columns of a table without rows.
    grouped["label"] = [
        f"{label} [{setting}]" if ambiguous else label
        for label, setting, ambiguous in zip(
            grouped["label"], grouped["setting"], alike, strict=True
        )
    ]
    ranks = {f"{name} rank": grouped[name].map(_rank(known)) for name, known in ORDER.items()}
    keys = ["task rank", "section", "model rank", "label", "seed", "run"]
    ordered = grouped.assign(**ranks).sort_values(keys, ignore_index=True)
    return ordered.drop(columns=list(ranks))


def untold(
    runs: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, dict[str, str]]]:
    """Settings in which models of one name differ, though their labels do not tell.

    A label tells the fewest settings that keep groups apart. Others may differ as well, and a
    difference between two groups may come from those.

    ``runs`` are those of one task, with their labels.

    Returns:
        The values by label, by setting, by model.
    """
    found: dict[str, dict[str, dict[str, str]]] = {}
    for model, members in runs.groupby("model", sort=False):
        firsts = members.drop_duplicates("label")
        of_labels = {
            label: flat_settings(settings[run], PARTS_OF_LABEL)
            for label, run in zip(firsts["label"], firsts["run"], strict=True)
        }
        keys = dict.fromkeys(key for values in of_labels.values() for key in values)
        told = _fewest_apart(list(keys), list(of_labels.values()))
        for key in keys:
            values = {label: values.get(key, "not set") for label, values in of_labels.items()}
            if key not in told and len(set(values.values())) > 1:
                found.setdefault(str(model), {})[short_name(key)] = values
    return found


def groups(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The section, the label and the rows of each group of a table with the columns GROUP.

    Groups come in the order of their first rows.
    """
    for _, rows in table.groupby(GROUP, sort=False):
        yield rows["section"].iloc[0], rows["label"].iloc[0], rows


def _fewest_apart(keys: list[str], settings: list[dict[str, str]]) -> list[str]:
    """A few settings that tell all apart, in the order of ``keys``.

    They are taken one by one, the one that sets most apart first; of equals the first.
    """
    distinct = [dict(items) for items in dict.fromkeys(tuple(s.items()) for s in settings)]
    chosen: list[str] = []

    def apart(key: str) -> int:
        return len({tuple(values.get(k) for k in [*chosen, key]) for values in distinct})

    kinds = 1
    while keys and (best := max(keys, key=apart)) and apart(best) > kinds:
        kinds = apart(best)
        chosen.append(best)
    return [key for key in keys if key in chosen]


def _common_values(keys: list[str], settings: list[dict[str, str]]) -> dict[str, str]:
    """The value of each of ``keys`` that more of the distinct settings have than any other, if any.

    Only of those that all have: else those without would look like those with the common value.
    """
    distinct = list(dict.fromkeys(tuple(values.get(key) for key in keys) for values in settings))
    common = {}
    for index, key in enumerate(keys):
        found = Counter(values[index] for values in distinct)
        (value, count), *others = found.most_common(2)
        if value is not None and None not in found and all(count > other for _, other in others):
            common[key] = value
    return common


def _rank(known: tuple[str, ...]) -> Callable[[str], int]:
    return lambda name: known.index(name) if name in known else len(known)


def flat_settings(identity: Mapping[str, Any], parts: tuple[str, ...]) -> dict[str, str]:
    """Settings as text under the names that the command line has for them."""
    return {
        f"{part}.{name}": value if isinstance(value, str) else json.dumps(value)
        for part in parts
        if isinstance(identity.get(part), Mapping)
        for name, value in identity[part].items()
        if name != "name"
    }


def short_name(key: str) -> str:
    """A setting's name without the part of the identity that goes without saying."""
    return key.removeprefix("model.").removeprefix("task.")


def _labels(
    runs: pd.DataFrame, names: list[str], settings: Mapping[str, dict[str, str]]
) -> pd.Series[str]:
    """``name (setting=value, ...)`` for each run: the fewest settings that tell it from others that
    share the columns ``names``, of which the last is the name; without the values that more of
    those have than any other, each kind of run counted once.
    """
    labels: dict[str, str] = {}
    for _, members in runs.groupby(names):
        name = str(members[names[-1]].iloc[0])
        of_members = {run: settings[run] for run in members["run"]}
        keys = dict.fromkeys(key for values in of_members.values() for key in values)
        differing = _fewest_apart(list(keys), list(of_members.values()))
        common = _common_values(differing, list(of_members.values()))
        for run, values in of_members.items():
            told = [
                f"{short_name(key)}={values[key]}"
                for key in differing
                if key in values and common.get(key) != values[key]
            ]
            labels[run] = f"{name} ({', '.join(told)})" if told else name
    return runs["run"].map(labels).astype("str")  # text also where there are no runs

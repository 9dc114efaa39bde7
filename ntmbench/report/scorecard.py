"""Each figure of the literature beside the runs' own: better, same, worse, or not measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ntmbench.report.commands import Repeat
from ntmbench.report.reference import LITERATURE, Literature, Measure
from ntmbench.report.statistics import Interval, quantile
from ntmbench.report.study import Study
from ntmbench.report.survival import kaplan_meier, survival_median

RELATIVE = (Measure.SEQUENCES, Measure.MILLISECONDS)
COLUMNS = ["task", "measure", "length", "literature_low", "literature_high", "tolerance", "says"]
COLUMNS += [
    "source",
    "section",
    "label",
    "runs",
    "budget",
    "ours",
    "ours_low",
    "ours_high",
    "verdict",
]


def scorecard_table(study: Study, repeats: Mapping[str, Repeat]) -> pd.DataFrame:
    """A row for each figure of the literature and each group of runs that it is set beside.

    Groups are of the same model, and controller where one is named, on the task at its default
    settings. Of several, those that the task and the model come with are taken; ``repeats`` holds
    of each run how it is repeated. ``ours`` is over all seeds: the Kaplan-Meier median of sequences
    to solve with its interval, else the median and the range of the tested runs.
    """
    rows = []
    for entry in LITERATURE:
        stated = {
            "task": entry.task,
            "measure": entry.measure.value,
            "length": entry.length,
            "literature_low": entry.low,
            "literature_high": entry.high,
            "tolerance": entry.tolerance,
            "says": entry.says,
            "source": entry.source,
        }
        found = list(_groups(entry, study, repeats))
        if not found:
            rows.append({**stated, "label": _wanted(entry), "verdict": "not measured"})
        for section, label, runs in found:
            ours = _ours(entry, runs, study)
            rows.append(
                {
                    **stated,
                    "section": section,
                    "label": label,
                    "runs": len(runs),
                    "budget": runs["train_sequences"].max(),
                    "ours": ours.estimate,
                    "ours_low": ours.low,
                    "ours_high": ours.high,
                    "verdict": verdict(entry, ours.estimate),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"length": "Int64", "runs": "Int64"})


def verdict(entry: Literature, ours: float) -> str:
    """``better``, ``same`` or ``worse`` than the literature; ``not measured`` for NaN."""
    if math.isnan(ours):
        return "not measured"
    scale = entry.tolerance if entry.measure in RELATIVE else 0.0
    step = 0.0 if entry.measure in RELATIVE else entry.tolerance
    if ours < entry.low * (1 - scale) - step:
        return "better"
    return "same" if ours <= entry.high * (1 + scale) + step else "worse"


def _wanted(entry: Literature) -> str:
    return f"{entry.model} (controller={entry.controller})" if entry.controller else entry.model


def _groups(
    entry: Literature, study: Study, repeats: Mapping[str, Repeat]
) -> Iterable[tuple[str, str, pd.DataFrame]]:
    found = []
    for section, members in study.by_section():
        if section.task != entry.task or not section.standard:
            continue
        of_model = members[members["model"] == entry.model]
        for label, runs in of_model.groupby("label", sort=False):
            settings = study.settings[runs["run"].iloc[0]]
            if entry.controller in (None, settings["model"].get("controller")):
                found.append((section.label, str(label), runs))
    as_it_comes = [group for group in found if _is_default(repeats.get(group[2]["run"].iloc[0]))]
    return as_it_comes or found


def _is_default(repeat: Repeat | None) -> bool:
    if repeat is None:
        return False
    changed = repeat.overrides[2:]  # after the task and the model
    return all(override.startswith("model.controller=") for override in changed)


def _ours(entry: Literature, runs: pd.DataFrame, study: Study) -> Interval:
    if entry.measure is Measure.SEQUENCES:
        if runs["outcome"].isin(["running", "interrupted"]).all():
            return Interval(math.nan, math.nan, math.nan)
        return survival_median(kaplan_meier(list(runs["time"]), list(runs["observed"])))
    if entry.measure is Measure.MILLISECONDS:
        return _median_and_range(1000 / runs["sequences_per_second"])
    section = study.sections[runs["section"].iloc[0]]
    length = section.near_length if entry.length is None else entry.length
    tested = study.evaluation[
        study.evaluation["run"].isin(runs["run"]) & (study.evaluation["length"] == length)
    ]
    if tested.empty or length is None:
        return Interval(math.nan, math.nan, math.nan)
    if entry.measure is Measure.WRONG_BITS:
        return _median_and_range(tested["wrong_bits"].fillna(math.inf))
    return _median_and_range(
        tested["loss_bits"].fillna(math.inf) - section.optimum_loss_bits(length)
    )


def _median_and_range(values: pd.Series[float]) -> Interval:
    known = values[~np.isnan(values)]
    if known.empty:
        return Interval(math.nan, math.nan, math.nan)
    return Interval(quantile(known, 0.5), float(known.min()), float(known.max()))

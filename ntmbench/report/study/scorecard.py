"""Each figure of the literature beside the runs' own: better, same or worse, where it can be told.

What was not measured, what a run's budget is too small to tell, and times of models of other sizes
are said to be that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from ntmbench.data.literature import Literature, Measure, library
from ntmbench.registry import make_task, task_names
from ntmbench.report.study.commands import Repeat, repeats_of
from ntmbench.report.study.once import once
from ntmbench.report.study.outcomes import reached_at
from ntmbench.report.study.study import Study
from ntmbench.statistics.intervals import Interval, quantile
from ntmbench.statistics.survival import kaplan_meier, rest_at_half, survival_median

#: Times, of which some may be longer than the budget.
COUNTS = (Measure.SEQUENCES, Measure.REACHED)
RELATIVE = (*COUNTS, Measure.MILLISECONDS)
#: Parameters that differ by no more than this share are about equal.
SIZE_TOLERANCE = 0.2
COLUMNS = [
    "task",
    "unit",
    "measure",
    "length",
    "literature_low",
    "literature_high",
    "tolerance",
    "says",
]
COLUMNS += [
    "source",
    "address",
    "section",
    "label",
    "runs",
    "tested",
    "budget",
    "finished",
    "ours",
    "ours_low",
    "ours_high",
    "half_by",
    "half_from",
    "verdict",
]


@once
def scorecard_table(study: Study) -> pd.DataFrame:
    """A row for each figure of the literature and each group of runs that it is set beside.

    Groups are of the same model, and controller where one is named, on the task at its default
    settings. If there are several, those without other settings are taken. ``ours`` is over
    all seeds: the Kaplan-Meier median of sequences to solve or to reach with its interval, else the
    median and the range of the ``tested`` ones of the ``runs``. Where the literature claims that
    there are no errors, the worst run is judged, and else the median.
    """
    rows = []
    for entry in library().figures:
        stated = {
            "task": entry.task,
            "unit": _unit(entry),
            "measure": entry.measure.value,
            "length": entry.length,
            "literature_low": entry.low,
            "literature_high": entry.high,
            "tolerance": entry.tolerance,
            "says": entry.says,
            "source": entry.cited,
            "address": entry.source.address,
        }
        found = list(_groups(entry, study))
        if not found:
            rows.append({**stated, "label": _wanted(entry), "verdict": "not measured"})
        for section, label, runs in found:
            ours, tested, (half_by, half_from) = _ours(entry, runs, study)
            budget = float(runs["train_sequences"].max())
            judged = ours.high if entry.exactness else ours.estimate
            seen = min(budget, float(np.median(runs["followed"])))
            told = verdict(entry, judged, seen) if _comparable(entry, runs, study) else OTHER
            rows.append(
                {
                    **stated,
                    "section": section,
                    "label": label,
                    "runs": len(runs),
                    "tested": tested,
                    "budget": budget,
                    "finished": not runs["outcome"].isin(["running", "interrupted"]).any(),
                    "ours": ours.estimate,
                    "ours_low": ours.low,
                    "ours_high": ours.high,
                    "half_by": half_by,
                    "half_from": half_from,
                    "verdict": told,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"length": "Int64", "runs": "Int64", "tested": "Int64", "finished": "boolean"}
    )


def verdict(entry: Literature, ours: float, budget: float = math.inf) -> str:
    """``better``, ``same`` or ``worse`` than the literature; ``not measured`` for NaN.

    Where it did not happen within a ``budget`` that ends before it would have been worse, it is
    ``cannot tell (budget)``; and so where errors or bits are more than those of a longer training.
    """
    if math.isnan(ours):
        return "not measured"
    scale = entry.tolerance if entry.measure in RELATIVE else 0.0
    step = 0.0 if entry.measure in RELATIVE else entry.tolerance
    low, high = entry.low * (1 - scale) - step, entry.high * (1 + scale) + step
    if entry.measure in COUNTS and math.isinf(ours):
        if budget < (low if math.isinf(high) else high):
            return "cannot tell (budget)"
    elif ours < low:
        return "better"
    elif high < ours < math.inf and budget < entry.spent:
        return "cannot tell (budget)"
    return "same" if ours <= high else "worse"


#: The verdict on a time of a model of another size, or in batches of another.
OTHER = "not comparable"


def _comparable(entry: Literature, runs: pd.DataFrame, study: Study) -> bool:
    """Whether a time is that of the same work."""
    if entry.measure is not Measure.MILLISECONDS:
        return True
    batch_size = study.settings[runs["run"].iloc[0]]["train"].get("batch_size")
    if entry.parameters is None or batch_size != entry.batch_size:
        return False
    off = runs["parameters"] / entry.parameters - 1
    return bool((off.abs() <= SIZE_TOLERANCE).all())


def _unit(entry: Literature) -> str | None:
    """What the answers of the task are made of; None where it is not installed."""
    return make_task(entry.task).answer.unit if entry.task in task_names() else None


def _wanted(entry: Literature) -> str:
    return f"{entry.model} (controller={entry.controller})" if entry.controller else entry.model


def _groups(entry: Literature, study: Study) -> Iterable[tuple[str, str, pd.DataFrame]]:
    found = []
    for task, members in study.by_task():
        if task.name != entry.task or not task.standard:
            continue
        of_model = members[members["model"] == entry.model]
        for label, runs in of_model.groupby("label", sort=False):
            settings = study.settings[runs["run"].iloc[0]]
            if entry.controller in (None, settings["model"].get("controller")):
                found.append((task.label, str(label), runs))
    repeats = repeats_of(study).known
    as_it_comes = [group for group in found if _is_default(repeats.get(group[2]["run"].iloc[0]))]
    return as_it_comes or found


def _is_default(repeat: Repeat | None) -> bool:
    # After the task and the model.
    return repeat is not None and not repeat.overrides[2:]


NOT_MEASURED = Interval(math.nan, math.nan, math.nan)


def _ours(
    entry: Literature, runs: pd.DataFrame, study: Study
) -> tuple[Interval, int, tuple[float, float]]:
    """The runs' figure, how many of them have it, and of counts the sides of their median."""
    if entry.measure in COUNTS:
        if runs["outcome"].isin(["running", "interrupted"]).all():
            return NOT_MEASURED, 0, (math.nan, math.nan)
        if entry.measure is Measure.SEQUENCES:
            times, observed = list(runs["time"]), list(runs["observed"])
        else:
            times, observed = _reached(runs, study, entry.below)
        curve = kaplan_meier(times, observed)
        return survival_median(curve), len(runs), rest_at_half(curve)
    return *_scored(entry, runs, study), (math.nan, math.nan)


def _scored(entry: Literature, runs: pd.DataFrame, study: Study) -> tuple[Interval, int]:
    """The runs' median time or score and its range, and how many of them have one."""
    if entry.measure is Measure.MILLISECONDS:
        return _median_and_range(1000 / runs["sequences_per_second"])
    task = study.tasks[runs["section"].iloc[0]]
    length = task.near_length if entry.length is None else entry.length
    tested = study.evaluation[
        study.evaluation["run"].isin(runs["run"]) & (study.evaluation["length"] == length)
    ]
    if tested.empty or length is None:
        return NOT_MEASURED, 0
    if entry.measure is Measure.ERRORS:
        return _median_and_range(tested["errors"].fillna(math.inf))
    return _median_and_range(tested["loss_bits"].fillna(math.inf) - task.optimum_loss_bits(length))


def _reached(runs: pd.DataFrame, study: Study, below: float) -> tuple[list[float], list[bool]]:
    """When errors were first under ``below``, and whether: the other times are censored."""
    curves = dict(list(study.metrics.groupby("run")))
    none = study.metrics.iloc[:0]
    reached = [reached_at(curves.get(run, none), below) for run in runs["run"]]
    observed = [math.isfinite(at) for at in reached]
    return [
        at if there else float(last)
        for at, there, last in zip(reached, observed, runs["followed"], strict=True)
    ], observed


def _median_and_range(values: pd.Series[float]) -> tuple[Interval, int]:
    known = values[~np.isnan(values)]
    if known.empty:
        return NOT_MEASURED, 0
    return Interval(quantile(known, 0.5), float(known.min()), float(known.max())), len(known)

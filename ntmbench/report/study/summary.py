"""The main table as numbers: what became of every task and model, each figure with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ntmbench.report.study.grouping import groups
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.statistics.intervals import (
    Interval,
    bootstrap_interval,
    interquartile_mean,
    lower_median,
    wilson_interval,
)
from ntmbench.statistics.survival import kaplan_meier, rest_at_half, survival_median

STATES = ("finished", "running", "interrupted", "failed", "diverged")
#: Columns of a run that a group has the median of.
MEDIANS = (
    *("validation_errors", "validation_loss_bits"),
    *("sequences_per_second", "train_seconds"),
)
#: By when half of a group's runs have solved their task, and from when the other half do.
HALVES = ("half_solved_by", "half_solved_from")


@once
def summary_table(study: Study) -> pd.DataFrame:
    """A row per group: what became of its runs, and its figures with their intervals.

    ``solved`` of the ``runs`` with Wilson's interval of their share; ``sequences_to_solve`` is the
    median of the Kaplan-Meier curve with the interval of Brookmeyer and Crowley, infinite where
    fewer than half have solved it, and between ``half_solved_by`` and ``half_solved_from`` where
    these differ; errors and loss over the optimum, at the task's
    ``length``, are interquartile means and effective lengths medians, with bootstrap intervals.
    The last three are over the ``evaluated`` runs, of which ``at_zero`` have no error; ``unit``
    says what an error is. ``trained`` is the median of the sequences that runs were trained on,
    which may be fewer than the ``budget``; speed, time and the least ``validation_errors`` and
    ``validation_loss_bits`` of the learning curves are medians too, over the runs that have them.
    Where the task's optimum makes mistakes itself, solved and effective length are not defined and
    their columns are empty.
    """
    rows = []
    for section_label, label, group in groups(study.runs):
        task = study.tasks[section_label]
        count = group["outcome"].value_counts()
        row = {
            "section": section_label,
            "label": label,
            "task": group["task"].iloc[0],
            "model": group["model"].iloc[0],
            "control": group["control"].iloc[0],
            "setting": group["setting"].iloc[0],
            "runs": len(group),
            "seeds": " ".join(str(seed) for seed in sorted(set(group["seed"]))),
            **{state: int(count.get(state, 0)) for state in STATES},
            "budget": group["train_sequences"].max(),
            "trained": group["trained"].median(),
            "enough_validation": bool(group["enough_validation"].all()),
            "length": task.near_length,
            "unit": task.unit,
        }
        if task.solvable:
            solved = int(group["observed"].sum())
            row["solved"] = solved
            row |= _interval("solved_share", wilson_interval(solved, len(group)))
            survival = kaplan_meier(list(group["time"]), list(group["observed"]))
            row |= _interval("sequences_to_solve", survival_median(survival))
            row |= dict(zip(HALVES, rest_at_half(survival), strict=True))
            row["reached"] = int(np.isfinite(group["reached_at"]).sum())
        evaluated = group[group["errors"].notna()]
        row["evaluated"] = len(evaluated)
        row["at_zero"] = int((evaluated["errors"] == 0).sum())
        for score in ("errors", "loss_over_optimum"):
            values = list(evaluated[score].dropna())
            row |= _interval(score, bootstrap_interval([values], interquartile_mean))
        for length in ("effective_90", "effective_99"):
            values = list(evaluated[length].dropna())
            if values:
                row |= _interval(length, bootstrap_interval([values], lower_median))
        for name in ("parameters", "state_floats"):
            # A count that occurs, where the runs' counts differ.
            row[name] = group[name].quantile(0.5, interpolation="lower")
        for column in MEDIANS:
            row[column] = group[column].median()
        row["devices"] = "; ".join(sorted(set(group["device"].dropna())))
        rows.append(row)
    columns = [
        *("section", "label", "task", "model", "control", "setting", "runs", "seeds", *STATES),
        *("budget", "trained", "enough_validation", "solved", *_names("solved_share")),
        *(
            *_names("sequences_to_solve"),
            *HALVES,
            "reached",
            "length",
            "unit",
            "evaluated",
            "at_zero",
        ),
        *(
            *_names("errors"),
            *_names("loss_over_optimum"),
            *_names("effective_90"),
            *_names("effective_99"),
        ),
        *("parameters", "state_floats", *MEDIANS, "devices"),
    ]
    counts = ("solved", "reached", "parameters", "state_floats", "length")
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(counts, "Int64"))


def _names(figure: str) -> tuple[str, str, str]:
    return figure, f"{figure}_low", f"{figure}_high"


def _interval(figure: str, interval: Interval) -> dict[str, float]:
    values = (interval.estimate, interval.low, interval.high)
    return dict(zip(_names(figure), values, strict=True))

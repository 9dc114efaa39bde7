"""Every task and model in one table: what share of chance's errors is left, and what it cost."""

from __future__ import annotations

import math

import pandas as pd

from ntmbench.registry import task_class, task_names
from ntmbench.report.study.grouping import GROUP, groups
from ntmbench.report.study.lengths import lengths_table
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.report.study.summary import summary_table
from ntmbench.report.study.tasks import StudyTask

COLUMNS = ["family", *GROUP, "runs", "solved", "sequences", "train_seconds"]
COLUMNS += ["length", "errors", "share", "beyond", "errors_beyond", "share_beyond"]

SPREAD_COLUMNS = ["family", "section", "models", "best", "least", "worst", "most", "spread"]


@once
def profile_table(study: Study) -> pd.DataFrame:
    """A row per task and contestant that was tested, the tasks of a family together.

    ``errors`` is the median over runs at the task's ``near_length``, which is ``length``. ``share``
    places it between the task's optimum, 0, and chance, 1. ``beyond`` is the tested length that is
    nearest to twice as long, if one is longer at all. ``sequences`` is the budget; the seconds of
    training are the median. ``family`` is empty for tasks that are not installed here.
    """
    summary = {
        (row["section"], row["label"]): row for row in summary_table(study).to_dict("records")
    }
    rows = []
    for section, label, tested in groups(lengths_table(study)):
        told = summary[section, label]
        near = study.tasks[section].near_length
        if told["control"] or near is None:
            continue
        by_length = tested.set_index("length")
        longer = [length for length in by_length.index if length > near]
        beyond = min(longer, key=lambda length: abs(length - 2 * near), default=None)
        rows.append(
            [
                *(family_of(study.tasks[section].name), section, label),
                *(told["runs"], told["solved"], told["budget"], told["train_seconds"]),
                *_figures(study.tasks[section], by_length, near),
                *_figures(study.tasks[section], by_length, beyond),
            ]
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("family", kind="stable", ignore_index=True)


@once
def spread_table(study: Study) -> pd.DataFrame:
    """How far a task tells models apart: a row per task with two models or more.

    ``least`` and ``most`` are the ``share`` of the ``best`` and the ``worst`` of its models.
    """
    rows = []
    for section, of_task in profile_table(study).groupby("section", sort=False):
        known = of_task.dropna(subset="share")
        if len(known) > 1:
            ranked = known.sort_values("share", kind="stable").to_dict("records")
            best, worst = ranked[0], ranked[-1]
            ends = (best["label"], best["share"], worst["label"], worst["share"])
            spread = worst["share"] - best["share"]
            rows.append([best["family"], section, len(known), *ends, spread])
    return pd.DataFrame(rows, columns=SPREAD_COLUMNS)


def family_of(task: str) -> str:
    """The family of a task by its registered name; nothing if it is not installed here."""
    return task_class(task).family if task in task_names() else ""


def _figures(
    task: StudyTask, by_length: pd.DataFrame, length: int | None
) -> tuple[float, float, float]:
    """A length, the median errors there, and their share; NaN where it was not tested."""
    if length is None:
        return math.nan, math.nan, math.nan
    errors, chance = (
        float(dict(by_length[name])[length]) for name in ("errors_median", "chance_errors")
    )
    optimum = task.optimum_errors(length)
    avoidable = chance - optimum
    # A machine may do better than the optimum on the same few sequences.
    share = max(errors - optimum, 0.0) / avoidable if avoidable > 0 else math.nan
    return length, errors, share

"""Every task and model in one table: what share of chance's errors is left, and what it cost."""

from __future__ import annotations

import math

import pandas as pd

from ntmbench.data.families import family_place
from ntmbench.report.study.grouping import GROUP, groups
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.report.study.summary import summary_table
from ntmbench.report.study.tasks import StudyTask, family_of
from ntmbench.statistics.intervals import quantile

COLUMNS = ["family", *GROUP, "runs", "tested", "solved", "sequences", "train_seconds"]
COLUMNS += ["length", "errors", "share", "beyond", "errors_beyond", "share_beyond"]

SPREAD_COLUMNS = ["family", "section", "models", "best", "least", "worst", "most", "spread"]


@once
def profile_table(study: Study) -> pd.DataFrame:
    """A row per task and contestant that was tested, by family in the order of ``FAMILIES``.

    ``errors`` is the median over runs at the task's ``near_length``, which is ``length``. ``share``
    places it between the task's optimum, 0, and chance, 1. ``beyond`` is the tested length that is
    nearest to twice as long, of two that are equally near the longer one, if one is longer at all.
    Runs that diverged before they could be tested count as infinitely bad. What a model was not
    tested at is NaN. ``sequences`` is the budget; the seconds of training are the median.
    ``family`` is empty for tasks that are not installed here.
    """
    summary = {
        (row["section"], row["label"]): row for row in summary_table(study).to_dict("records")
    }
    lengths = {
        section: set(rows["length"]) for section, rows in study.evaluation.groupby("section")
    }
    rows = []
    for section, label, tested in groups(study.evaluation):
        told, task = summary[section, label], study.tasks[section]
        near = task.near_length
        if told["control"] or near is None:
            continue
        longer = [int(length) for length in lengths[section] if length > near]
        beyond = min(longer, key=lambda length: (abs(length - 2 * near), -length), default=None)
        lost = _lost(study, section, label, tested)
        rows.append(
            [
                *(family_of(task.name), section, label),
                *(told["runs"], told["evaluated"], told["solved"]),
                *(told["budget"], told["train_seconds"]),
                *_figures(task, tested, near, lost),
                *_figures(task, tested, beyond, lost),
            ]
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(
        "family", key=lambda of: of.map(family_place), kind="stable", ignore_index=True
    )


@once
def spread_table(study: Study) -> pd.DataFrame:
    """How far a task tells models apart: a row per task with two models or more.

    ``least`` and ``most`` are the ``share`` of the ``best`` and the ``worst`` of its models that is
    finite.
    """
    rows = []
    for section, of_task in profile_table(study).groupby("section", sort=False):
        known = of_task[of_task["share"] < math.inf]
        if len(known) > 1:
            ranked = known.sort_values("share", kind="stable").to_dict("records")
            best, worst = ranked[0], ranked[-1]
            ends = (best["label"], best["share"], worst["label"], worst["share"])
            spread = worst["share"] - best["share"]
            rows.append([best["family"], section, len(known), *ends, spread])
    return pd.DataFrame(rows, columns=SPREAD_COLUMNS)


def _lost(study: Study, section: str, label: str, tested: pd.DataFrame) -> int:
    """How many runs diverged before they could be tested."""
    runs = study.runs[(study.runs["section"] == section) & (study.runs["label"] == label)]
    return int(((runs["outcome"] == "diverged") & ~runs["run"].isin(tested["run"])).sum())


def _figures(
    task: StudyTask, tested: pd.DataFrame, length: int | None, lost: int
) -> tuple[float, float, float]:
    """A length, the median errors there, and their share; ``lost`` runs have no figures."""
    at_length = tested[tested["length"] == length]
    if length is None or at_length.empty:
        return math.nan, math.nan, math.nan
    values = [*at_length["errors"].fillna(math.inf), *[math.inf] * lost]
    errors = quantile(values, 0.5)
    optimum = task.optimum_errors(length)
    avoidable = float(at_length["chance_errors"].max()) - optimum
    # A machine may do better than the optimum on the same few sequences.
    share = max(errors - optimum, 0.0) / avoidable if avoidable > 0 else math.nan
    return length, errors, share

"""The report's tables as numbers: each is written as CSV, and shown as text by the views."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ntmbench.report.grouping import GROUP, groups
from ntmbench.report.outcomes import curve_band
from ntmbench.report.statistics import (
    Interval,
    bootstrap_interval,
    interquartile_mean,
    lower_median,
    quantile,
    wilson_interval,
)
from ntmbench.report.study import Study
from ntmbench.report.survival import kaplan_meier, rest_at_half, survival_median

SCORES = ("errors", "exact_match", "loss_bits")
STATES = ("finished", "running", "interrupted", "failed", "diverged")
#: Columns of a run that a group has the median of.
MEDIANS = (
    *("validation_errors", "validation_loss_bits"),
    *("sequences_per_second", "train_seconds"),
)
#: By when half of a group's runs have solved their task, and from when the other half do.
HALVES = ("half_solved_by", "half_solved_from")
SCORE_PARTS = [f"{score}_{part}" for score in SCORES for part in ("median", "min", "max")]


def summary_table(study: Study) -> pd.DataFrame:
    """A row per group: what became of its runs, and its figures with their intervals.

    ``solved`` of the ``runs`` with Wilson's interval of their share; ``sequences_to_solve`` is the
    median of the Kaplan-Meier curve with the interval of Brookmeyer and Crowley, infinite where
    fewer than half have solved it, and between ``half_solved_by`` and ``half_solved_from`` where
    these differ; wrong bits and loss over the optimum, at the section's
    ``length``, are interquartile means and effective lengths medians, with bootstrap intervals.
    The last three are over the ``evaluated`` runs, of which ``at_zero`` have no
    wrong bit. ``trained`` is the median of the sequences that runs were trained on, which may be
    fewer than the ``budget``; speed, time and the least ``validation_errors`` and
    ``validation_loss_bits`` of the learning curves are medians too, over the runs that have them.
    Where the task's optimum makes mistakes itself, solved and effective length are not defined and
    their columns are empty.
    """
    rows = []
    for section_label, label, group in groups(study.runs):
        section = study.sections[section_label]
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
            "length": section.near_length,
        }
        if section.solvable:
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
        # A count that occurs, where the runs' counts differ.
        row["parameters"] = group["parameters"].quantile(0.5, interpolation="lower")
        for column in MEDIANS:
            row[column] = group[column].median()
        row["devices"] = "; ".join(sorted(set(group["device"].dropna())))
        rows.append(row)
    columns = [
        *("section", "label", "task", "model", "control", "setting", "runs", "seeds", *STATES),
        *("budget", "trained", "enough_validation", "solved", *_names("solved_share")),
        *(*_names("sequences_to_solve"), *HALVES, "reached", "length", "evaluated", "at_zero"),
        *(
            *_names("errors"),
            *_names("loss_over_optimum"),
            *_names("effective_90"),
            *_names("effective_99"),
        ),
        *("parameters", *MEDIANS, "devices"),
    ]
    counts = {"solved": "Int64", "reached": "Int64", "parameters": "Int64", "length": "Int64"}
    return pd.DataFrame(rows, columns=columns).astype(counts)


def lengths_table(study: Study) -> pd.DataFrame:
    """A row per group and test length: median and range over its evaluated runs, and chance.

    ``evaluated`` of the group's ``runs`` have an evaluation; the others are in no median.
    ``at_zero`` of them have no wrong bit at that length.
    """
    runs = {(section, label): len(rows) for section, label, rows in groups(study.runs)}
    rows = []
    for section, label, group in groups(study.evaluation):
        for _, at_length in group.groupby("length"):
            length = int(at_length["length"].iloc[0])
            rows.append(
                {
                    "section": section,
                    "label": label,
                    "length": length,
                    "memory_slots": at_length["memory_slots"].max(),
                    "sequences": at_length["sequences"].max(),
                    "runs": runs[section, label],
                    "evaluated": at_length["run"].nunique(),
                    **_scores(at_length),
                    "chance_errors": at_length["chance_errors"].max(),
                    "optimum_loss_bits": study.sections[section].optimum_loss_bits(length),
                }
            )
    counts = ["length", "sequences", "runs", "evaluated", "at_zero"]
    scores = [*SCORE_PARTS, "chance_errors", "optimum_loss_bits"]
    table = pd.DataFrame(rows, columns=[*GROUP, "length", "memory_slots", *counts[1:], *scores])
    types = {**dict.fromkeys(counts, "int64"), **dict.fromkeys(scores, "float64")}
    return table.astype({**types, "memory_slots": "Int64"})


def variations_table(study: Study) -> pd.DataFrame:
    """A row per group and variation: median and range over the runs that were tested on it.

    ``at_zero`` of them have no wrong bit in it.
    """
    rows = [
        {
            "section": section,
            "label": label,
            "variation": variation,
            "length": int(tested["length"].iloc[0]),
            "sequences": tested["sequences"].max(),
            "evaluated": tested["run"].nunique(),
            **_scores(tested),
            "chance_errors": tested["chance_errors"].max(),
        }
        for section, label, group in groups(study.variations)
        for variation, tested in group.groupby("variation")
    ]
    columns = [*GROUP, "variation", "length", "sequences", "evaluated", "at_zero", *SCORE_PARTS]
    return pd.DataFrame(rows, columns=[*columns, "chance_errors"])


def curves_table(study: Study) -> pd.DataFrame:
    """A row per group, metric and point of the learning curve: median and interquartile range."""
    outcome = study.runs.set_index("run")["outcome"]
    bands = []
    for section, label, group in groups(study.metrics):
        for column in ("errors", "loss_bits"):
            band = curve_band(group, outcome, column)
            bands.append(band.assign(section=section, label=label, metric=column))
    columns = [*GROUP, "metric", "sequences", "runs", "low", "median", "high"]
    if not bands:
        return pd.DataFrame(columns=columns)
    return pd.concat(bands, ignore_index=True)[columns]


def survival_table(study: Study) -> pd.DataFrame:
    """A row per group and time: the share of its runs that have not solved the task yet.

    Groups of tasks on which solved is not defined have none.
    """
    curves = [
        kaplan_meier(list(group["time"]), list(group["observed"])).assign(
            section=section, label=label
        )
        for section, label, group in groups(study.runs)
        if study.sections[section].solvable
    ]
    columns = [*GROUP, "time", "at_risk", "events", "censored", "survival", "low", "high"]
    if not curves:
        return pd.DataFrame(columns=columns)
    return pd.concat(curves, ignore_index=True)[columns]


def positions_table(study: Study) -> pd.DataFrame:
    """A row per group, test length and step of the answer: median and quartiles over its runs."""
    keys = [*GROUP, "length", "position"]
    measured = study.positions.assign(errors=study.positions["errors"].fillna(math.inf))
    grouped = measured.groupby(keys)["errors"]
    # Between two infinite values pandas finds no number.
    quartiles = {
        name: grouped.quantile(share).fillna(math.inf)
        for name, share in (("low", 0.25), ("median", 0.5), ("high", 0.75))
    }
    return pd.DataFrame({**quartiles, "runs": grouped.size()}).reset_index()


def problems_table(study: Study) -> pd.DataFrame:
    """A row per run that is not finished, and per folder that holds no readable run."""
    unfinished = study.runs[study.runs["outcome"] != "finished"]
    columns = ["run", *GROUP, "seed", "outcome", "trained", "train_sequences", "error"]
    folders = pd.DataFrame(
        [(folder, "unreadable", reason) for folder, reason in study.unreadable.items()],
        columns=["run", "outcome", "error"],
    ).reindex(columns=columns)
    parts = [table for table in (unfinished[columns], folders) if len(table)]
    table = pd.concat(parts, ignore_index=True) if parts else unfinished[columns]
    return table.astype(dict.fromkeys(("seed", "trained", "train_sequences"), "Int64"))


def runs_table(study: Study) -> pd.DataFrame:
    """A row per run; ``reached_at`` and ``solved_at`` are infinite where it did not happen.

    They are empty where solved is not defined.
    """
    table = study.runs.drop(columns=["state", "active", "time", "observed"])
    solvable = {label: section.solvable for label, section in study.sections.items()}
    defined = table["section"].map(solvable)
    for column in ("reached_at", "solved_at"):
        table[column] = table[column].where(defined.astype(bool))
    return table


def _names(figure: str) -> tuple[str, str, str]:
    return figure, f"{figure}_low", f"{figure}_high"


def _interval(figure: str, interval: Interval) -> dict[str, float]:
    values = (interval.estimate, interval.low, interval.high)
    return dict(zip(_names(figure), values, strict=True))


def _scores(tested: pd.DataFrame) -> dict[str, float]:
    """Median and range of each score, and how many are at zero; NaN is infinitely bad."""
    row: dict[str, float] = {}
    for score in SCORES:
        values = tested[score].fillna(0.0 if score == "exact_match" else math.inf)
        row[f"{score}_median"] = quantile(values, 0.5)
        row[f"{score}_min"], row[f"{score}_max"] = values.min(), values.max()
    row["at_zero"] = int((tested["errors"] == 0).sum())
    return row

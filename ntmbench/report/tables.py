"""The report's tables as numbers: each is written as CSV, and shown by ``page.py``."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from ntmbench.report.grouping import GROUP, groups
from ntmbench.report.sections import Section
from ntmbench.report.statistics import curve_band, quantile

SCORES = ("wrong_bits", "exact_match", "loss_bits")


def summary_table(outcomes: pd.DataFrame, sections: Mapping[str, Section]) -> pd.DataFrame:
    """A row per group: its runs, how many solved the task, when, and what they cost.

    Times are in training sequences; the quartiles are over all runs of the group, an unsolved one
    counting as infinite. Where the task's optimum makes mistakes itself, solved is not defined and
    its columns are empty.
    """
    rows = []
    for section, label, group in groups(outcomes):
        count = group["outcome"].value_counts()
        row = {
            "section": section,
            "label": label,
            "task": group["task"].iloc[0],
            "model": group["model"].iloc[0],
            "setting": group["setting"].iloc[0],
            "runs": len(group),
            "seeds": " ".join(str(seed) for seed in sorted(set(group["seed"]))),
            **{
                state: int(count.get(state, 0))
                for state in ("finished", "running", "interrupted", "failed", "diverged")
            },
            "budget": group["train_sequences"].max(),
        }
        if sections[section].solvable:
            for event in ("solved", "reached"):
                times = list(group[f"{event}_at"])
                row |= {
                    event: sum(map(math.isfinite, times)),
                    f"sequences_to_{event}_median": quantile(times, 0.5),
                    f"sequences_to_{event}_q1": quantile(times, 0.25),
                    f"sequences_to_{event}_q3": quantile(times, 0.75),
                }
        # A count that occurs, where the runs' counts differ.
        row["parameters"] = group["parameters"].quantile(0.5, interpolation="lower")
        for column in ("sequences_per_second", "train_seconds"):
            row[column] = group[column].median()
        row["devices"] = "; ".join(sorted(set(group["device"].dropna())))
        rows.append(row)
    columns = [
        *("section", "label", "task", "model", "setting", "runs", "seeds", "finished", "running"),
        *("interrupted", "failed", "diverged", "budget"),
        *(
            "solved",
            "sequences_to_solved_median",
            "sequences_to_solved_q1",
            "sequences_to_solved_q3",
        ),
        *("reached", "sequences_to_reached_median", "sequences_to_reached_q1"),
        *("sequences_to_reached_q3", "parameters", "sequences_per_second", "train_seconds"),
        "devices",
    ]
    counts = {"solved": "Int64", "reached": "Int64", "parameters": "Int64"}
    return pd.DataFrame(rows, columns=columns).astype(counts)


def lengths_table(
    outcomes: pd.DataFrame, evaluation: pd.DataFrame, sections: Mapping[str, Section]
) -> pd.DataFrame:
    """A row per group and test length: median and range over its evaluated runs, and chance.

    ``evaluated`` of the group's ``runs`` have an evaluation; the others are in no median.
    """
    tested = evaluation.merge(outcomes[["run", *GROUP]], on="run")
    runs = {(section, label): len(rows) for section, label, rows in groups(outcomes)}
    rows = []
    for section, label, group in groups(tested):
        for _, at_length in group.groupby("length"):
            length = int(at_length["length"].iloc[0])
            row = {
                "section": section,
                "label": label,
                "length": length,
                "memory_slots": at_length["memory_slots"].max(),
                "sequences": at_length["sequences"].max(),
                "runs": runs[section, label],
                "evaluated": at_length["run"].nunique(),
            }
            for score in SCORES:
                values = at_length[score].fillna(math.inf)
                row |= {
                    f"{score}_median": quantile(values, 0.5),
                    f"{score}_min": values.min(),
                    f"{score}_max": values.max(),
                }
            row["chance_wrong_bits"] = at_length["chance_wrong_bits"].max()
            row["optimum_loss_bits"] = sections[section].optimum_loss_bits(length)
            rows.append(row)
    counts = ["length", "sequences", "runs", "evaluated"]
    scores = [f"{score}_{part}" for score in SCORES for part in ("median", "min", "max")]
    scores += ["chance_wrong_bits", "optimum_loss_bits"]
    table = pd.DataFrame(rows, columns=[*GROUP, "length", "memory_slots", *counts[1:], *scores])
    types = {**dict.fromkeys(counts, "int64"), **dict.fromkeys(scores, "float64")}
    return table.astype({**types, "memory_slots": "Int64"})


def curves_table(outcomes: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """A row per group, metric and point of the learning curve: median and interquartile range."""
    outcome = outcomes.set_index("run")["outcome"]
    measured = metrics.merge(outcomes[["run", *GROUP]], on="run")
    bands = []
    for section, label, group in groups(measured):
        for column in ("wrong_bits", "loss_bits"):
            band = curve_band(group, outcome, column)
            bands.append(band.assign(section=section, label=label, metric=column))
    columns = [*GROUP, "metric", "sequences", "runs", "low", "median", "high"]
    if not bands:
        return pd.DataFrame(columns=columns)
    return pd.concat(bands, ignore_index=True)[columns]


def problems_table(outcomes: pd.DataFrame, unreadable: Mapping[str, str]) -> pd.DataFrame:
    """A row per run that is not finished, and per folder that holds no readable run."""
    unfinished = outcomes[outcomes["outcome"] != "finished"]
    columns = ["run", *GROUP, "seed", "outcome", "trained", "train_sequences", "error"]
    folders = pd.DataFrame(
        [(folder, "unreadable", reason) for folder, reason in unreadable.items()],
        columns=["run", "outcome", "error"],
    ).reindex(columns=columns)
    parts = [table for table in (unfinished[columns], folders) if len(table)]
    table = pd.concat(parts, ignore_index=True) if parts else unfinished[columns]
    return table.astype(dict.fromkeys(("seed", "trained", "train_sequences"), "Int64"))


def runs_table(outcomes: pd.DataFrame, sections: Mapping[str, Section]) -> pd.DataFrame:
    """A row per run; ``reached_at`` and ``solved_at`` are infinite where it did not happen.

    They are empty where solved is not defined.
    """
    table = outcomes.drop(columns=["state", "active"])
    defined = table["section"].map({label: section.solvable for label, section in sections.items()})
    for column in ("reached_at", "solved_at"):
        table[column] = table[column].where(defined.astype(bool))
    return table

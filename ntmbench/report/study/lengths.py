"""Test scores by length, by step of the answer and by variation, as numbers."""

from __future__ import annotations

import math

import pandas as pd

from ntmbench.report.study.grouping import GROUP, groups
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.statistics.intervals import quantile

SCORES = ("errors", "exact_match", "loss_bits")
SCORE_PARTS = [f"{score}_{part}" for score in SCORES for part in ("median", "min", "max")]


@once
def lengths_table(study: Study) -> pd.DataFrame:
    """A row per group and test length: median and range over its evaluated runs, and chance.

    ``evaluated`` of the group's ``runs`` have an evaluation; the others are in no median.
    ``at_zero`` of them have no error at that length; ``unit`` says what one is.
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
                    "unit": study.tasks[section].unit,
                    "memory_slots": at_length["memory_slots"].max(),
                    "sequences": at_length["sequences"].max(),
                    "runs": runs[section, label],
                    "evaluated": at_length["run"].nunique(),
                    **_scores(at_length),
                    "chance_errors": at_length["chance_errors"].max(),
                    "optimum_loss_bits": study.tasks[section].optimum_loss_bits(length),
                }
            )
    counts = ["length", "sequences", "runs", "evaluated", "at_zero"]
    scores = [*SCORE_PARTS, "chance_errors", "optimum_loss_bits"]
    table = pd.DataFrame(
        rows, columns=[*GROUP, "length", "unit", "memory_slots", *counts[1:], *scores]
    )
    types = {**dict.fromkeys(counts, "int64"), **dict.fromkeys(scores, "float64")}
    return table.astype({**types, "memory_slots": "Int64"})


@once
def variations_table(study: Study) -> pd.DataFrame:
    """A row per group and variation: median and range over the runs that were tested on it.

    Variations come in the order in which the task names them. ``at_zero`` of the runs have no error
    in it; ``unit`` says what one is.
    """
    rows = [
        {
            "section": section,
            "label": label,
            "variation": variation,
            "length": int(tested["length"].iloc[0]),
            "unit": study.tasks[section].unit,
            "sequences": tested["sequences"].max(),
            "evaluated": tested["run"].nunique(),
            **_scores(tested),
            "chance_errors": tested["chance_errors"].max(),
        }
        for section, label, group in groups(study.variations)
        for variation, tested in group.groupby("variation", sort=False)
    ]
    columns = [
        *GROUP,
        "variation",
        "length",
        "unit",
        "sequences",
        "evaluated",
        "at_zero",
        *SCORE_PARTS,
    ]
    return pd.DataFrame(rows, columns=[*columns, "chance_errors"])


@once
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


def _scores(tested: pd.DataFrame) -> dict[str, float]:
    """Median and range of each score, and how many are at zero; NaN is infinitely bad."""
    row: dict[str, float] = {}
    for score in SCORES:
        values = tested[score].fillna(0.0 if score == "exact_match" else math.inf)
        row[f"{score}_median"] = quantile(values, 0.5)
        row[f"{score}_min"], row[f"{score}_max"] = values.min(), values.max()
    row["at_zero"] = int((tested["errors"] == 0).sum())
    return row

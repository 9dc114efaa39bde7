"""Test scores by length, by step of the answer and by variation, as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from ntmbench.report.study.grouping import GROUP, groups
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.statistics.intervals import quantile

SCORES = ("errors", "exact_match", "loss_bits")
RIGHT_PARTS = [f"right_{part}" for part in ("median", "min", "max")]
SCORE_PARTS = [f"{score}_{part}" for score in SCORES for part in ("median", "min", "max")]

#: Fewer numbered variations are no curve.
MIN_NUMBERS = 3


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
    in it; ``unit`` says what one is. ``right`` is the share of the ``answers`` of a sequence that
    are right; it is NaN, as they are, where answers are no symbols.
    """
    rows = []
    for section, label, group in groups(study.variations):
        task = study.tasks[section]
        for variation, tested in group.groupby("variation", sort=False):
            answers = task.variation_answers.get(str(variation), math.nan)
            scores = _scores(tested)
            rows.append(
                {
                    "section": section,
                    "label": label,
                    "variation": variation,
                    "length": int(tested["length"].iloc[0]),
                    "unit": task.unit,
                    "sequences": tested["sequences"].max(),
                    "evaluated": tested["run"].nunique(),
                    **scores,
                    "chance_errors": tested["chance_errors"].max(),
                    "answers": answers,
                    **_right(scores, answers),
                }
            )
    columns = [
        *GROUP,
        "variation",
        "length",
        "unit",
        "sequences",
        "evaluated",
        "at_zero",
        *SCORE_PARTS,
        "chance_errors",
        "answers",
        *RIGHT_PARTS,
    ]
    return pd.DataFrame(rows, columns=columns)


def numbered_variations(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of variations whose names differ in a number alone, by the rest of the name.

    The number is in the column ``number``. A rest with fewer than MIN_NUMBERS of them is left out.
    """
    parts = table["variation"].astype(str).str.extract(r"^(\D*)(\d+)(\D*)$")
    rest = parts[0].str.strip().str.cat(parts[2].str.strip(), sep=" ").str.strip()
    told = table.assign(number=pd.to_numeric(parts[1]))
    return {
        str(name): rows
        for name, rows in told.groupby(rest, sort=False)
        if rows["number"].nunique() >= MIN_NUMBERS
    }


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


def _right(scores: Mapping[str, float], answers: float) -> dict[str, float]:
    """Median and range of the share of right answers, from those of the errors."""
    ends = {"median": "median", "min": "max", "max": "min"}  # most errors, fewest right ones
    return {
        f"right_{part}": max(0.0, 1 - scores[f"errors_{of}"] / answers) if answers > 0 else math.nan
        for part, of in ends.items()
    }


def _scores(tested: pd.DataFrame) -> dict[str, float]:
    """Median and range of each score, and how many are at zero; NaN is infinitely bad."""
    row: dict[str, float] = {}
    for score in SCORES:
        values = tested[score].fillna(0.0 if score == "exact_match" else math.inf)
        row[f"{score}_median"] = quantile(values, 0.5)
        row[f"{score}_min"], row[f"{score}_max"] = values.min(), values.max()
    row["at_zero"] = int((tested["errors"] == 0).sum())
    return row

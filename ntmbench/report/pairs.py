"""Models compared pair by pair, over the seeds that both have."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd

from ntmbench.report.comparison import detectable_difference, holm, permutation_test, smallest_p
from ntmbench.report.sections import Section
from ntmbench.report.statistics import FloatArray
from ntmbench.report.study import Study

#: Adjusted p-values below this are told as a difference.
ALPHA = 0.05
COLUMNS = ["section", "score", "first", "second", "pairs", "difference", "p", "p_holm"]
COLUMNS += ["smallest_p", "detectable"]


def score_of(section: Section) -> str:
    """What models are compared by: wrong bits, or the loss where wrong bits can not reach zero."""
    return "wrong_bits" if section.solvable else "loss_bits"


def pairs_table(study: Study) -> pd.DataFrame:
    """A row per task and pair of models.

    Runs of equal seed are paired: they saw the same training data. ``difference`` is the mean of
    first minus second at the section's ``near_length``; ``p`` is of the paired permutation test,
    ``p_holm`` is corrected for all pairs of the task (Holm 1979), ``smallest_p`` is what so many
    pairs can reach at best, and ``detectable`` the true difference that they would find with a
    power of 80%. All are NaN where less than two pairs of finite scores are there.
    """
    rows: list[dict[str, object]] = []
    for section, members in study.by_section():
        score = score_of(section)
        measured = members[~members["control"] & members[score].notna()]
        # The first run of a seed, should it have been run with two budgets of one label.
        by_seed = measured.pivot_table(
            index="seed", columns="label", values=score, aggfunc="first", sort=False
        )
        named = list(itertools.combinations(by_seed.columns, 2))
        compared = [_compare(*(by_seed[label].to_numpy(float) for label in pair)) for pair in named]
        adjusted = holm([figures["p"] for figures in compared])
        rows += [
            {
                "section": section.label,
                "score": score,
                "first": first,
                "second": second,
                **figures,
                "p_holm": p_holm,
            }
            for (first, second), figures, p_holm in zip(named, compared, adjusted, strict=True)
        ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"pairs": "int64"})


def _compare(first: FloatArray, second: FloatArray) -> dict[str, float]:
    paired = np.isfinite(first) & np.isfinite(second)
    differences = (first - second)[paired]
    pairs = len(differences)
    if pairs < 2:
        nothing = dict.fromkeys(("difference", "p", "smallest_p", "detectable"), math.nan)
        return {"pairs": pairs, **nothing}
    return {
        "pairs": pairs,
        "difference": float(differences.mean()),
        "p": permutation_test(differences),
        "smallest_p": smallest_p(pairs),
        "detectable": detectable_difference(differences),
    }

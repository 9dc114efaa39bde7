"""Models compared pair by pair, over the seeds that both have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask
from ntmbench.statistics.intervals import FloatArray
from ntmbench.statistics.paired import detectable_difference, holm, permutation_test, smallest_p

#: Adjusted p-values below this are told as a difference.
ALPHA = 0.05
COLUMNS = ["section", "score", "unit", "first", "second", "pairs", "not_finite", "difference", "p"]
COLUMNS += ["p_is_least", "p_holm", "smallest_p", "detectable"]


def score_of(task: StudyTask) -> str:
    """What models are compared by: errors, or the loss where errors cannot reach zero."""
    return "errors" if task.solvable else "loss_bits"


@once
def pairs_table(study: Study) -> pd.DataFrame:
    """A row per task and pair of models.

    Where a model occurs with several settings and one of them goes by its bare name (see
    ``grouping``), the others are compared with that one alone, and it alone with other models.

    Runs of equal seed are paired: those of equal batch size saw the same training data, and to pair
    others is no worse than any other order. ``unit`` says what an error is. ``difference`` is the
    mean of first minus second at the task's ``near_length``; ``p`` is of the paired permutation
    test, ``p_is_least`` whether so many pairs can give none less, however far apart the models;
    ``p_holm`` is corrected for all comparisons of the task (Holm 1979). ``smallest_p`` is what so
    many pairs can reach at best, and ``detectable`` the true difference that they would find with
    a power of 80%, both corrected for as many comparisons (Bonferroni: as Holm's first step).

    All are NaN where less than two pairs are there, and where any of them, ``not_finite``, has a
    score that is not finite: it has no difference, and without it the model that failed would be
    compared on the seeds on which it did not. Seeds that either was not tested on are left out.
    """
    rows: list[dict[str, object]] = []
    for task, members in study.by_task():
        score = score_of(task)
        measured = members[~members["control"] & members[score].notna()]
        # Of a run that is there twice, in a copied folder, the first.
        by_seed = measured.pivot_table(
            index="seed", columns="label", values=score, aggfunc="first", sort=False
        )
        models = measured.drop_duplicates("label").set_index("label")["model"].to_dict()
        named = compared_pairs({label: models[label] for label in by_seed.columns})
        scores = [[by_seed[label].to_numpy(float) for label in pair] for pair in named]
        comparable = sum(_comparable(*pair) for pair in scores)
        compared = [_compare(first, second, comparable) for first, second in scores]
        adjusted = holm([figures["p"] for figures in compared])
        rows += [
            {
                "section": task.label,
                "score": score,
                "unit": task.unit,
                "first": first,
                "second": second,
                **figures,
                "p_holm": p_holm,
            }
            for (first, second), figures, p_holm in zip(named, compared, adjusted, strict=True)
        ]
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"pairs": "int64", "not_finite": "int64", "p_is_least": "bool"}
    )


def compared_pairs(models: Mapping[str, str]) -> list[tuple[str, str]]:
    """The pairs of labels to compare; ``models`` has the model of each."""
    # The bare-named one of a model, or all of a model that has none such.
    chief = {label for label, model in models.items() if model == label or model not in models}
    return [
        (first, second)
        for first, second in itertools.combinations(models, 2)
        if {first, second} <= chief or (models[first] == models[second] and chief & {first, second})
    ]


def _comparable(first: FloatArray, second: FloatArray) -> bool:
    tested = ~np.isnan(first) & ~np.isnan(second)
    return bool(tested.sum() >= 2 and np.isfinite([first[tested], second[tested]]).all())


def _compare(first: FloatArray, second: FloatArray, comparisons: int) -> dict[str, float]:
    tested = ~np.isnan(first) & ~np.isnan(second)
    finite = np.isfinite(first) & np.isfinite(second)
    pairs = int(tested.sum())
    counts = {"pairs": pairs, "not_finite": pairs - int(finite.sum())}
    if not _comparable(first, second):
        nothing = dict.fromkeys(("difference", "p", "smallest_p", "detectable"), math.nan)
        return {**counts, **nothing, "p_is_least": False}
    differences = (first - second)[tested]
    p = permutation_test(differences)
    return {
        **counts,
        "difference": float(differences.mean()),
        "p": p,
        "p_is_least": p <= smallest_p(pairs) * (1 + 1e-9),
        "smallest_p": min(1.0, comparisons * smallest_p(pairs)),
        "detectable": detectable_difference(differences, alpha=ALPHA / comparisons),
    }

"""What became of each run, as functions of the tables of ``load_results``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ntmbench.evaluation.levels import SOLVED_BELOW
from ntmbench.statistics.intervals import quantile

#: Validation sequences that this takes at least: their mean is uncertain otherwise.
SOLVED_SEQUENCES = 640


def reached_at(curve: pd.DataFrame, below: float = SOLVED_BELOW) -> float:
    """Sequences at the first validation with fewer errors than ``below``; infinity if none.

    ``curve`` has the columns of one run's ``metrics.csv``.
    """
    under = curve.loc[curve["errors"] < below, "sequences"]
    return float(under.min()) if len(under) else math.inf


def stays_from(curve: pd.DataFrame, below: float = SOLVED_BELOW) -> float:
    """Sequences from which all validations have fewer errors than ``below``; infinity if none.

    ``curve`` has the columns of one run's ``metrics.csv``; a NaN among them is not below.
    """
    ordered = curve.sort_values("sequences")
    above = ~(ordered["errors"] < below).to_numpy()
    first = int(np.flatnonzero(above)[-1]) + 1 if above.any() else 0
    return float(ordered["sequences"].iloc[first]) if first < len(ordered) else math.inf


def effective_length(lengths: Iterable[float], exact_match: Iterable[float], share: float) -> int:
    """The longest test length up to which a run has at least ``share`` of the sequences exact.

    Every shorter tested length has that share too; 0 where not even the shortest has. The arguments
    are the columns of one run's ``evaluation.csv``, in any order; a NaN among ``exact_match`` is
    below every share.

    Raises:
        ValueError: if the columns differ in length, or ``share`` is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share={share} is out of range. Allowed: above 0 and at most 1.")
    # 99 of 100 are 99%, whatever the rounding of means over batches.
    at_least = share - 1e-9
    scores = list(zip(lengths, exact_match, strict=True))
    fails_at = min((length for length, exact in scores if not exact >= at_least), default=math.inf)
    return int(max((length for length, _ in scores if length < fails_at), default=0))


def outcomes(
    runs: pd.DataFrame,
    metrics: pd.DataFrame,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """What became of each run's training: ``runs`` with ten more columns.

    ``outcome`` is the state, with ``interrupted`` for a run that says running while nothing is at
    work on it. ``trained`` counts the sequences up to the last validation. ``reached_at`` is where
    errors were first under SOLVED_BELOW. ``solved_at`` is from where they stayed under to the
    end of training; infinity for a run that has not come to that end, whatever its reason.

    ``followed`` is up to which sequences the run is known: ``trained``, but the budget for a run
    that diverged, as it would not come back. A finished run that was content before its budget was
    spent (``train.attempts``) was not seen beyond ``trained`` either. ``time`` and ``observed`` are
    a time to solve that may be censored, for ``kaplan_meier``: ``solved_at`` where that happened,
    and ``followed`` elsewhere.

    ``validation_errors`` and ``validation_loss_bits`` are the least of the learning curve, NaN
    without one: what settings may be chosen by.

    ``enough_validation`` says whether errors were the mean of SOLVED_SEQUENCES at least. It is
    missing without the ``settings`` of the runs, as ``load_results`` gives them.
    """
    curves = dict(list(metrics.groupby("run")))
    none = metrics.iloc[:0]
    result = runs.copy()
    result["outcome"] = runs["state"].where(
        (runs["state"] != "running") | runs["active"].astype(bool), "interrupted"
    )
    of_runs = [curves.get(run, none) for run in runs["run"]]
    result["trained"] = [int(curve["sequences"].max()) if len(curve) else 0 for curve in of_runs]
    for score in ("errors", "loss_bits"):
        result[f"validation_{score}"] = [float(curve[score].min()) for curve in of_runs]
    result["reached_at"] = [reached_at(curve) for curve in of_runs]
    result["solved_at"] = [
        stays_from(curve) if state == "finished" else math.inf
        for curve, state in zip(of_runs, runs["state"], strict=True)
    ]
    result["observed"] = np.isfinite(result["solved_at"].astype(float))
    # Where the run's files do not say the budget, it was what was trained at least.
    budget = np.fmax(runs["train_sequences"].astype(float), result["trained"])
    result["followed"] = np.where(runs["state"] == "diverged", budget, result["trained"])
    result["time"] = np.where(result["observed"], result["solved_at"], result["followed"])
    result["enough_validation"] = pd.array(
        [
            _enough_validation(settings[run]) if settings is not None else None
            for run in runs["run"]
        ],
        dtype="boolean",
    )
    return result


def _enough_validation(settings: Mapping[str, Any]) -> bool:
    sequences = settings["train"].get("validation_sequences")
    return isinstance(sequences, int) and sequences >= SOLVED_SEQUENCES


def curve_band(curves: pd.DataFrame, outcome: pd.Series[str], column: str) -> pd.DataFrame:
    """Median and interquartile range over seeds at each point of a learning curve.

    ``curves`` has the columns run, sequences and ``column`` of the runs of one group, ``outcome``
    is indexed by run. A finished run counts with its last value after its end: one that makes no
    mistakes may end before its budget is spent, and must not leave the median to those that do not
    (``train.attempts``). A diverged run counts as infinitely bad there: it would not come back. One
    that has not come so far, or that failed for a reason beside the numbers, is not counted there.
    A value that is not a number counts as infinite too.

    Returns:
        The columns sequences, runs (counted), low, median, high.
    """
    counted = curves.assign(**{column: curves[column].fillna(math.inf)})
    table = counted.pivot_table(index="sequences", columns="run", values=column, sort=True)
    ended = table.bfill().isna()
    finished, diverged = (
        [run for run in map(str, table.columns) if outcome[run] == state]
        for state in ("finished", "diverged")
    )
    table[finished] = table[finished].mask(ended[finished], table[finished].ffill())
    table[diverged] = table[diverged].mask(ended[diverged], math.inf)
    rows = [row[~np.isnan(row)] for row in table.to_numpy(dtype=float)]
    return pd.DataFrame(
        {
            "sequences": table.index,
            "runs": [len(row) for row in rows],
            "low": [quantile(row, 0.25) for row in rows],
            "median": [quantile(row, 0.5) for row in rows],
            "high": [quantile(row, 0.75) for row in rows],
        }
    )

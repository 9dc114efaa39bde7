"""Statistics over seeds, each a pure function of the tables of ``load_results``.

Seeds are the unit of replication. A run that never got somewhere counts with infinity there, so
that no median is taken over the lucky ones alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

#: Validation wrong bits per sequence below which a model is taken to know the task
#: (Collier and Beel 2018).
SOLVED_BELOW = 0.1


def quantile(values: Iterable[float], share: float) -> float:
    """The quantile by linear interpolation of values that may be infinite, but not NaN.

    Between a finite value and infinity lies infinity. NaN where there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        return math.nan
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    part = place - low
    if part == 0:
        return ordered[low]
    if math.isinf(ordered[low + 1]):
        return math.inf
    return ordered[low] + part * (ordered[low + 1] - ordered[low])


def reached_at(curve: pd.DataFrame, below: float = SOLVED_BELOW) -> float:
    """Sequences at the first validation with fewer wrong bits than ``below``; infinity if none.

    ``curve`` has the columns of one run's ``metrics.csv``.
    """
    under = curve.loc[curve["wrong_bits"] < below, "sequences"]
    return float(under.min()) if len(under) else math.inf


def stays_from(curve: pd.DataFrame, below: float = SOLVED_BELOW) -> float:
    """Sequences from which all validations have fewer wrong bits than ``below``; infinity if none.

    ``curve`` has the columns of one run's ``metrics.csv``; a NaN among them is not below.
    """
    ordered = curve.sort_values("sequences")
    above = ~(ordered["wrong_bits"] < below).to_numpy()
    first = int(np.flatnonzero(above)[-1]) + 1 if above.any() else 0
    return float(ordered["sequences"].iloc[first]) if first < len(ordered) else math.inf


def outcomes(runs: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """What became of each run's training: ``runs`` with four more columns.

    ``outcome`` is the state, with ``interrupted`` for a run that says running while nothing is at
    work on it. ``trained`` counts the sequences up to the last validation. ``reached_at`` is where
    wrong bits were first under SOLVED_BELOW. ``solved_at`` is from where they stayed under to the
    end of training; infinity for a run that has not come to that end, whatever its reason.
    """
    curves = dict(list(metrics.groupby("run")))
    none = metrics.iloc[:0]
    result = runs.copy()
    result["outcome"] = runs["state"].where(
        (runs["state"] != "running") | runs["active"].astype(bool), "interrupted"
    )
    of_runs = [curves.get(run, none) for run in runs["run"]]
    result["trained"] = [int(curve["sequences"].max()) if len(curve) else 0 for curve in of_runs]
    result["reached_at"] = [reached_at(curve) for curve in of_runs]
    result["solved_at"] = [
        stays_from(curve) if state == "finished" else math.inf
        for curve, state in zip(of_runs, runs["state"], strict=True)
    ]
    return result


def curve_band(curves: pd.DataFrame, outcome: pd.Series[str], column: str) -> pd.DataFrame:
    """Median and interquartile range over seeds at each point of a learning curve.

    ``curves`` has the columns run, sequences and ``column`` of the runs of one group, ``outcome``
    is indexed by run. A diverged run counts as infinitely bad after its last point: it would not
    come back. One that has not come so far, or that failed for a reason beside the numbers, is not
    counted there. A value that is not a number counts as infinite too.

    Returns:
        The columns sequences, runs (counted), low, median, high.
    """
    counted = curves.assign(**{column: curves[column].fillna(math.inf)})
    table = counted.pivot_table(index="sequences", columns="run", values=column, sort=True)
    ended = table.bfill().isna()
    diverged = [run for run in map(str, table.columns) if outcome[run] == "diverged"]
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

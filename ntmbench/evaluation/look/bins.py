"""Errors against position, gap and duplicates: the small table ``look.csv``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

#: At most so many bins of positions.
POSITIONS = 20
#: So many duplicates and more are one bin.
MANY_DUPLICATES = 3

Values = pd.Series  # of numbers


def binned_errors(answers: pd.DataFrame) -> pd.DataFrame:
    """Mean errors of the answers of each length, binned in three ways; columns of ``look.csv``.

    - ``length``: of the sequences.
    - ``against``: what is binned: ``position`` in the answer, from 0; ``gap`` to the nearest other
      number; ``duplicates``, other items of the same number.
    - ``low``, ``high``: the ends of the bin, both included. Those of gaps are powers of two, and
      ``low`` is not included.
    - ``answers``: how many scored steps are in the bin.
    - ``errors``: mean errors of a step.
    - ``wrong``: the share of steps with any error.

    ``answers`` has the columns of ``answers_table``, and ``length``.
    """
    parts = []
    for length, of_length in answers.groupby("length"):
        for against, bins in BINS.items():
            known = of_length.dropna(subset=against)
            if known.empty:
                continue
            ends = bins(known[against])
            marked = known.assign(low=ends["low"], high=ends["high"], wrong=known["errors"] > 0)
            grouped = marked.groupby(["low", "high"])
            found = grouped.agg(
                answers=("errors", "size"), errors=("errors", "mean"), wrong=("wrong", "mean")
            )
            parts.append(found.reset_index().assign(length=length, against=against))
    table = pd.concat(parts, ignore_index=True)
    table = table[["length", "against", "low", "high", "answers", "errors", "wrong"]]
    return table.astype({"length": "int64", "answers": "int64", "low": float, "high": float})


def _of_positions(positions: Values) -> pd.DataFrame:
    together = -(-(positions.max() + 1) // POSITIONS)
    low = positions // together * together
    return pd.DataFrame({"low": low, "high": (low + together - 1).clip(upper=positions.max())})


def _of_gaps(gaps: Values) -> pd.DataFrame:
    high = 2.0 ** np.ceil(np.log2(gaps))
    return pd.DataFrame({"low": high / 2, "high": high})


def _of_duplicates(duplicates: Values) -> pd.DataFrame:
    low = duplicates.clip(upper=MANY_DUPLICATES)
    most = max(duplicates.max(), MANY_DUPLICATES)
    return pd.DataFrame({"low": low, "high": low.where(low < MANY_DUPLICATES, most)})


#: By the column of the answers: the ends of each value's bin.
BINS: dict[str, Callable[[Values], pd.DataFrame]] = {
    "position": _of_positions,
    "gap": _of_gaps,
    "duplicates": _of_duplicates,
}

"""What was asked at each scored step, and how many errors the answer has."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntmbench.task import Batch, Task

FloatArray = NDArray[np.float64]


def answers_table(task: Task, batch: Batch, errors: NDArray[np.int64]) -> pd.DataFrame:
    """A row for each scored step of a batch, whose model made ``errors [T, B]``.

    The columns are ``sequence``; ``position``, the number of the scored step, from 0; ``errors``,
    the wrong bits, symbols or numbers of the step; ``key``, the number by which the item asked for
    is put in order; ``gap``, from there to the nearest other number that was shown; ``duplicates``,
    how many other items have the same number. The last three are NaN where the task puts nothing in
    order.
    """
    scored = batch.mask.T == 1  # [B, T]
    sequence, step = np.nonzero(scored)
    position = scored.cumsum(axis=1)[sequence, step] - 1
    key = keys_of_answers(task, batch)[step, sequence]
    gap, duplicates = _neighbours(task, batch, key, sequence)
    return pd.DataFrame(
        {
            "sequence": sequence,
            "position": position,
            "errors": errors[step, sequence],
            "key": key,
            "gap": gap,
            "duplicates": duplicates,
        }
    )


def keys_of_answers(task: Task, batch: Batch) -> FloatArray:
    """The number ``[T, B]`` by which the item asked for at each step is put in order, or NaN."""
    keys, shown = task.ordered_by(batch.inputs), task.shown_at(batch.inputs)
    asked = np.full(batch.mask.shape, np.nan)
    if keys is None or shown is None:
        return asked
    known = shown & ~np.isnan(keys.T)  # [T, B, T]
    step, sequence = np.nonzero(known.any(axis=2))
    asked[step, sequence] = keys[known[step, sequence].argmax(axis=1), sequence]
    return asked


def _neighbours(
    task: Task, batch: Batch, key: FloatArray, sequence: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Gap and duplicates of each answer's ``key [answers]``, asked in its ``sequence``."""
    gap, duplicates = np.full(len(key), np.nan), np.full(len(key), np.nan)
    keys = task.ordered_by(batch.inputs)
    if keys is None:
        return gap, duplicates
    for number, of_sequence in enumerate(keys.T):
        values, counts = np.unique(of_sequence[~np.isnan(of_sequence)], return_counts=True)
        steps = np.diff(values, prepend=-np.inf, append=np.inf)
        nearest = np.minimum(steps[:-1], steps[1:])
        nearest[np.isinf(nearest)] = np.nan  # without any other number
        asked = (sequence == number) & ~np.isnan(key)
        place = np.searchsorted(values, key[asked])
        gap[asked], duplicates[asked] = nearest[place], counts[place] - 1
    return gap, duplicates

"""Whether a task's items and their order go together with its answers."""

from __future__ import annotations

import numpy as np

from ntmbench.task import Batch, Task
from ntmbench.testing.sources import check_steps_of_answers


def check_items(task: Task, batch: Batch) -> None:
    """Check the steps that show what is given back, and the numbers that put items in order.

    Raises:
        AssertionError: saying what does not hold.
    """
    shown, keys = task.shown_at(batch.inputs), task.ordered_by(batch.inputs)
    if shown is not None:
        check_steps_of_answers("shown_at", shown, batch)
    if keys is None:
        return
    assert keys.shape == batch.mask.shape, f"ordered_by {keys.shape}"
    assert keys.dtype == np.float64, f"ordered_by is {keys.dtype}"
    known = ~np.isnan(keys)
    assert np.isfinite(keys[known]).all(), "ordered_by holds numbers that are not finite"
    assert known.any(axis=0).all(), "ordered_by has no item in a sequence"
    if task.has_input_phase:
        assert not known[batch.answer_start :].any(), "ordered_by has an item in the answer"
    if shown is None:
        return
    items = np.where(shown & known.T[np.newaxis], keys.T[np.newaxis], np.nan)  # [T, B, T]
    items = items[(batch.mask == 1)]
    with np.errstate(invalid="ignore"):
        apart = np.fmax.reduce(items, axis=1) > np.fmin.reduce(items, axis=1)
    assert not apart.any(), "shown_at has items for one answer that ordered_by tells apart"

"""Sentences whose parts may be missing: they are put together, and their words found again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.symbols import SILENT


def moved(symbols: Integers, *, silent_first: bool) -> Integers:
    """The symbols ``[L, B]`` in their order, with all silent steps first or last."""
    silent = symbols == SILENT
    order = (silent != silent_first).argsort(axis=0, kind="stable")
    return np.take_along_axis(symbols, order, axis=0)


def step_in_parts(said: NDArray[np.bool_], part: Integers, count: int) -> Integers:
    """The step of the one word that is ``said [T, B]`` in each part, ``[count, B]``.

    ``part [T, B]`` is the number of the part that each step belongs to. SILENT stands for no word.
    """
    found = np.full((count, said.shape[1]), SILENT)
    steps, sequences = said.nonzero()
    found[part[steps, sequences], sequences] = steps
    return found

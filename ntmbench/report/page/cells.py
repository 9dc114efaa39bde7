"""Parts of a table's cells: numbers as text with their rank, and ranges."""

from __future__ import annotations

import math

import pandas as pd

from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Cell

#: As the pictures write it.
MINUS = "\N{MINUS SIGN}"

#: A rank that comes after all others.
LAST = math.inf


def value_range(middle: str, low: str, high: str) -> str:
    """``low to high``, or nothing where all are alike."""
    return "" if low == middle == high else f"{low} to {high}"


def halves(until: float, begin: float) -> str:
    """What lies on either side of a median where no run is, nothing where one is.

    ``until`` and ``begin`` are the ends of ``rest_at_half``.
    """
    if until == begin or math.isinf(begin):
        return ""
    return f"half by {numbers.count(until)}, half from {numbers.count(begin)}"


def sequences_texts(
    estimate: float, low: float, high: float, budget: float, *, unfinished: bool
) -> tuple[str, str]:
    """A median of sequences until something happened, and its interval as a note.

    ``unfinished`` says that some runs may still get there. A bound that is not known is not told
    as the budget: runs that all got there have one too where they are few.
    """
    middle = numbers.sequences(estimate, budget, unfinished=unfinished)
    if math.isinf(estimate):
        known = 0 < low < budget
        return middle, f"{numbers.count(low)} or more" if known else ""
    if math.isinf(high):
        return middle, f"{numbers.count(low)} or more" if low else "too few runs for an interval"
    return middle, value_range(middle, numbers.count(low), numbers.count(high))


def signed_score(value: float) -> str:
    """A score of either sign: a loss may be less than the optimum's on the same few sequences."""
    return f"{MINUS}{numbers.score(-value)}" if value < 0 else numbers.score(value)


def count_cell(value: float) -> Cell:
    known = not pd.isna(value)
    return Cell(numbers.count(value) if known else "", rank=float(value) if known else LAST)


def rank_of(value: float) -> float:
    return LAST if pd.isna(value) else float(value)

"""Comparisons of models as text, and what they could not have found."""

from __future__ import annotations

import math

import pandas as pd

from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Cell, Table
from ntmbench.report.page.cells import MINUS
from ntmbench.report.page.words import joined, plural, sentence
from ntmbench.report.study.pairs import ALPHA


def comparisons_view(pairs: pd.DataFrame, compared: str) -> Table:
    """A row per pair of models of one task; ``compared`` is what their score is called."""
    rows = []
    for row in pairs.to_dict("records"):
        if math.isnan(row["p"]):
            failed = int(row["not_finite"])
            why = f"{plural(failed, 'pair')} not finite: not compared" if failed else ""
            cells = [Cell(why or "too few pairs"), Cell(""), Cell("")]
        else:
            sign = "+" if row["difference"] > 0 else MINUS if row["difference"] < 0 else ""
            found = row["p_holm"] < ALPHA
            pairs_there = int(row["pairs"])
            detectable = row["detectable"]
            cells = [
                Cell(f"{sign}{numbers.score(abs(row['difference']))}"),
                Cell(
                    numbers.p_value(row["p_holm"]),
                    note=joined(
                        "" if found else _not_found(detectable, pairs_there),
                        f"the least that {pairs_there} pairs can give" if row["p_is_least"] else "",
                    ),
                    kind="found" if found else "",
                ),
                Cell(_detectable(detectable, row["smallest_p"])),
            ]
        rows.append(
            [Cell(f"{row['first']} {MINUS} {row['second']}"), Cell(str(row["pairs"])), *cells]
        )
    return Table(["models", "pairs", f"{compared}, difference", "p (Holm)", "detectable"], rows)


def undetectable(pairs: pd.DataFrame, compared: str) -> str:
    """Which differences the seeds of one task could not have detected, in one line.

    ``compared`` is what the score is called.
    """
    tested = pairs[pairs["p"].notna()]
    if tested.empty:
        return (
            "No two models have finite scores on two seeds or more in common: nothing can be said "
            "of their differences."
        )
    parts = []
    blind = tested[tested["detectable"] == math.inf]
    if len(blind):
        parts.append(
            f"{len(blind)} of {len(tested)} comparisons could by themselves not have found any "
            f"difference, however large: {min(blind['pairs'])} pairs give p = "
            f"{numbers.p_value(float(blind['smallest_p'].max()))} at best"
            + (f", corrected for {len(tested)} comparisons" if len(tested) > 1 else "")
        )
    seeing = tested[(tested["detectable"] > 0) & (tested["detectable"] < math.inf)]
    if len(seeing):
        low, high = (numbers.score(f(seeing["detectable"])) for f in (min, max))
        told = low if low == high else f"{low} to {high}"
        parts.append(
            f"true differences under {told} {compared}, depending on the pair, would have gone "
            "unseen more than one time in five"
        )
    if not parts:
        return "No pair's differences have any spread over these seeds."
    return sentence("; ".join(parts) + ".")


def _not_found(detectable: float, pairs: int) -> str:
    """What a p-value that is not small means."""
    blind = math.isinf(detectable)
    return f"{pairs} pairs are too few to tell" if blind else "no difference found"


def _detectable(value: float, smallest_p: float) -> str:
    if math.isinf(value):
        # Holm's correction is milder once others of the task are found.
        return f"none by itself: p is {numbers.p_value(smallest_p)} at best"
    # Differences that are all equal tell nothing of how large a chance one would be.
    return numbers.score(value) if value else "no spread"

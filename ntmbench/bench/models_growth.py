"""Growth of every model's time with the steps T, at batch 1.

The exponent is that of a power law fitted to the times of the longest sequences. What grows with
the square of T may still be small there, so the operations are told too, which are counted exactly:
they are a polynomial in T, and their differences at equal distances say of which degree. Memories
keep their default sizes, whatever T is; those that tests enlarge with the length cost more there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from rich.table import Table

from ntmbench.bench.cases import Case
from ntmbench.bench.contestants import Contestant
from ntmbench.bench.growth import LONGEST_STEP, fitted_slope
from ntmbench.bench.measure import Clock, time_in_turn
from ntmbench.bench.table import plain_table

#: Copy lengths, for T = 41 to 1001.
LENGTHS = (20, 62, 125, 250, 500)
#: The exponent is fitted from this share of the largest T on.
UPPER_SHARE = 1 / 4
#: Copy lengths at which operations are counted: T = 17 to 65, at a distance of 16, since a model
#: may take its steps in groups.
COUNTED = (8, 16, 24, 32)
DEGREES = ("constant", "linear", "quadratic")


def growing_models() -> list[Case]:
    """The copy tasks at which models are timed, by growing T."""
    return [Case(f"copy-{length}", "copy", length) for length in LENGTHS]


def measure_models_growth(
    rivals: Sequence[Contestant],
    cases: Sequence[Case],
    *,
    seconds: float,
    report: Callable[[str], None],
    clock: Clock = time.perf_counter,
) -> pd.DataFrame:
    """Time each model at each T while it is affordable, in turn for about ``seconds`` each.

    A row for each model and T: ``model``, ``steps``, ``ms_per_sequence``, and for the model its
    ``exponent`` and how its ``operations`` grow.
    """
    rows: list[dict[str, object]] = []
    last: dict[str, tuple[int, float]] = {}
    for case in cases:
        report(f"growth of the models, T = {case.steps}")
        affordable = [
            rival
            for rival in rivals
            if rival.name not in last
            or last[rival.name][1] * case.steps / last[rival.name][0] <= LONGEST_STEP
        ]
        batch = case.batch(1)
        steps = {rival.name: rival.step(case, batch) for rival in affordable}
        for name, timing in time_in_turn(steps, seconds * len(affordable), clock).items():
            last[name] = case.steps, timing.seconds
            rows.append(
                {"model": name, "steps": case.steps, "ms_per_sequence": timing.seconds * 1e3}
            )
    report("growth of the models, operations")
    table = pd.DataFrame(rows)
    exponents = {str(name): _exponent(part) for name, part in table.groupby("model")}
    operations = {rival.name: degree_of(rival) for rival in rivals}
    return table.assign(
        exponent=table["model"].map(exponents), operations=table["model"].map(operations)
    ).sort_values(["model", "steps"], ignore_index=True)


def degree_of(rival: Contestant) -> str:
    """How the counted operations grow with T."""
    counts = [rival.operations(Case(f"copy-{n}", "copy", n), 1) for n in COUNTED]
    return degree(counts)


def degree(values: Sequence[int]) -> str:
    """The degree of the polynomial through values at equal distances, in a word."""
    for name in DEGREES:
        values = [int(step) for step in np.diff(values)]
        if not any(values):
            return name
    return "more than quadratic"


def _exponent(part: pd.DataFrame) -> float:
    upper = part[part["steps"] >= part["steps"].max() * UPPER_SHARE]
    return fitted_slope(upper["steps"], upper["ms_per_sequence"])


def drawn_models_growth(table: pd.DataFrame) -> Table:
    """The table for the console: a row for each model, a column for each T."""
    by_model = table.groupby("model")
    wide = table.pivot(index="model", columns="steps", values="ms_per_sequence")
    sizes = list(wide.columns)
    wide = wide.join(by_model[["exponent", "operations"]].first()).reset_index()
    shown = {
        "model": ("model", "{}"),
        **{size: (f"T = {size}, ms", "{:.2f}") for size in sizes},
        "exponent": ("exponent", "{:.2f}"),
        "operations": ("operations", "{}"),
    }
    return plain_table(wide.assign(all=0), shown, rule_between=["all"])

"""At which steps of the answer the mistakes of all models of a task lie."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ntmbench.plotting.guides import chance_level, draw_levels
from ntmbench.plotting.style import Look, styled
from ntmbench.plotting.wording import errors
from ntmbench.report.plots.bands import draw_bands
from ntmbench.report.plots.panel import finished, panel

#: A picture has no room for more points: those of a longer answer are means of several steps.
MOST_POINTS = 100


@styled
def plot_positions(
    positions: pd.DataFrame,
    length: int,
    looks: Mapping[str, Look],
    chance: float,
    *,
    unit: str,
) -> Figure:
    """Errors at each step of the answer to one test length: median and quartiles over runs.

    Args:
        positions: the columns label, position, low, median and high.
        length: the test length.
        looks: how each label is drawn; labels without data are left out.
        chance: errors at a step of the best constant answer, on average; NaN if not known.
        unit: of the task's answers.
    """
    figure, axes = panel()
    if math.isfinite(chance):
        draw_levels(axes, [chance_level(chance)])
    together = -(-positions["position"].nunique() // MOST_POINTS)
    first = positions["position"] // together * together + 1
    steps = (
        positions.assign(step=first + (together - 1) / 2)
        .groupby(["label", "step"], as_index=False)[["low", "median", "high"]]
        .mean()
    )
    marker = "o" if steps["step"].nunique() == 1 else ""  # a line of one point is not seen
    draw_bands(axes, steps, "step", ("low", "median", "high"), looks, marker=marker)
    highest = steps.loc[np.isfinite(steps["high"]), "high"]
    top = 1.15 * np.nanmax([*highest, chance, 0.01])
    axes.set_ylim(-0.03 * top, top)
    axes.margins(x=0.01)
    means = f" (each point the mean of {together} steps)" if together > 1 else ""
    axes.set_xlabel(f"step of the answer{means}")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return finished(figure, axes, f"{errors(unit)} at each step, test length {length:,}")

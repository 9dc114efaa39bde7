"""Errors of all models of a task against position, gap or duplicates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ntmbench.plotting.run.look import LEAST_ANSWERS, SHORT, middles, scale_against
from ntmbench.plotting.style import Look, styled
from ntmbench.plotting.wording import errors
from ntmbench.report.plots.bands import draw_bands
from ntmbench.report.plots.panel import finished, panel


@styled
def plot_look_errors(
    bins: pd.DataFrame, against: str, looks: Mapping[str, Look], *, unit: str
) -> Figure:
    """Median and quartiles over runs of the errors of an answer, in each bin of one length.

    Args:
        bins: the columns of ``look_bins_table``; bins of a few answers are left out.
        against: what errors are drawn against.
        looks: how each label is drawn; labels without data are left out.
        unit: of the task's answers.
    """
    figure, axes = panel()
    enough = bins[bins["answers"] >= LEAST_ANSWERS]
    shown = enough if len(enough) else bins
    placed = shown.assign(at=middles(shown, against))
    draw_bands(axes, placed, "at", ("q25", "median", "q75"), looks, marker="o", markersize=4)
    highest = shown.loc[np.isfinite(shown["q75"]), "q75"]
    top = 1.15 * float(highest.max()) if len(highest) and highest.max() > 0 else 1.0
    axes.set_ylim(-0.03 * top, top)
    scale_against(axes, against)
    return finished(figure, axes, f"{errors(unit)} of an answer, by {SHORT[against]}")

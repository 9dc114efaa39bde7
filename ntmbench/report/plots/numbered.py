"""Right answers of all models of a task over variations that differ in a number."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ntmbench.plotting.scales import scale_lengths
from ntmbench.plotting.style import CHANCE_DASHES, MUTED, Look, styled
from ntmbench.report.plots.bands import draw_bands
from ntmbench.report.plots.panel import finished, panel


@styled
def plot_numbered(
    table: pd.DataFrame, looks: Mapping[str, Look], counted: str, *, unit: str
) -> Figure:
    """The share of right answers over what is counted: median and range over runs.

    Args:
        table: the columns label, number, answers, chance_errors, and ``right_median``, ``_min``
            and ``_max``.
        looks: how each label is drawn; labels without data are left out.
        counted: what the numbers count, in the singular.
        unit: of the task's answers.
    """
    figure, axes = panel()
    chance = (1 - table["chance_errors"] / table["answers"]).groupby(table["number"]).max()
    axes.plot(chance.index, chance, color=MUTED, ls=CHANCE_DASHES, lw=1.2, label="chance")
    band = ("right_min", "right_median", "right_max")
    draw_bands(axes, table, "number", band, looks, marker="o")
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    scale_lengths(axes, [int(number) for number in table["number"]])
    axes.set_xlabel(counted)
    return finished(figure, axes, f"right {unit}s, test")

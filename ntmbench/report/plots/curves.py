"""Learning curves of all models of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from ntmbench.plotting.guides import Level, Moment, draw_levels, draw_moments
from ntmbench.plotting.scales import along_training, drawable, scale_scores
from ntmbench.plotting.style import Look, styled
from ntmbench.plotting.wording import axis
from ntmbench.report.plots.bands import draw_bands
from ntmbench.report.plots.panel import finished, panel


@styled
def plot_curves(
    curves: pd.DataFrame,
    bands: pd.DataFrame,
    column: str,
    looks: Mapping[str, Look],
    levels: Sequence[Level] = (),
    moments: Sequence[Moment] = (),
    *,
    unit: str,
) -> Figure:
    """A thin line per run, the median over runs and their interquartile range.

    Args:
        curves: the columns run, label, sequences and ``column``.
        bands: the columns label, sequences, low, median and high.
        column: loss_bits or errors.
        looks: how each label is drawn; labels without data are left out.
        levels: lines to compare with.
        moments: numbers of sequences to compare with.
        unit: of the task's answers.
    """
    figure, axes = panel()
    end = max(curves["sequences"].max(), 1)
    draw_levels(axes, levels)
    draw_moments(axes, moments, end)
    drawn = curves[curves["label"].isin(list(looks))]
    sns.lineplot(
        drawn.assign(score=drawable(drawn[column])),
        x="sequences",
        y="score",
        hue="label",
        palette={label: look.colour for label, look in looks.items()},
        units="run",
        estimator=None,
        linewidth=0.6,
        alpha=0.45,
        legend=False,
        ax=axes,
    )
    draw_bands(axes, bands, "sequences", ("low", "median", "high"), looks)
    scale_scores(axes, [*curves[column], *(level.high for level in levels)])
    along_training(axes, end)
    return finished(figure, axes, f"{axis(column, unit)}, validation")

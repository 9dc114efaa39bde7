"""The picture of a run's learning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from ntmbench.plotting.guides import Level, Moment, draw_levels, draw_moments
from ntmbench.plotting.legend import legend_below
from ntmbench.plotting.scales import along_training, drawable, scale_scores
from ntmbench.plotting.style import COLOURS, styled
from ntmbench.plotting.wording import axis

#: The columns that are drawn.
SCORES = ("errors", "loss_bits")


@styled
def plot_learning_curve(
    metrics: pd.DataFrame,
    levels: Mapping[str, Sequence[Level]],
    moments: Sequence[Moment] = (),
    *,
    unit: str,
) -> Figure:
    """The scores on validation data over training; columns as in ``metrics.csv``.

    ``levels`` are lines to compare with, by column; ``moments`` are drawn with the loss.
    ``unit`` is that of the task's answer.
    """
    figure = Figure(figsize=(9, 3.6))
    panels = figure.subplots(1, 2)
    end = max(metrics["sequences"].max(), 1)
    for axes, column in zip(panels, SCORES, strict=True):
        draw_levels(axes, levels[column])
        axes.plot(metrics["sequences"], drawable(metrics[column]), color=COLOURS[0], zorder=3)
        scale_scores(axes, [*metrics[column], *(level.high for level in levels[column])])
        along_training(axes, end)
        axes.set_ylabel(axis(column, unit))
    draw_moments(panels[-1], moments, end)
    legend_below(figure, panels, columns=4)
    figure.suptitle("Validation data, lengths of training", x=0.01, ha="left")
    return figure

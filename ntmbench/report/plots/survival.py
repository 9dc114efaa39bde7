"""How many runs have not solved a task yet."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ntmbench.plotting.scales import along_training
from ntmbench.plotting.style import Look, styled
from ntmbench.report.plots.bands import draw_bands
from ntmbench.report.plots.panel import finished, panel


@styled
def plot_survival(survival: pd.DataFrame, looks: Mapping[str, Look]) -> Figure:
    """The share of runs that have not solved the task yet, over training, with its 95% band.

    ``survival`` has the column label and those of ``kaplan_meier``. A short upright stroke marks
    where runs were last seen unsolved.
    """
    figure, axes = panel()
    draw_bands(axes, survival, "time", ("low", "survival", "high"), looks, step="post")
    censored = survival[(survival["censored"] > 0) & survival["label"].isin(list(looks))]
    if len(censored):
        sns.scatterplot(
            censored,
            x="time",
            y="survival",
            hue="label",
            palette={label: look.colour for label, look in looks.items()},
            marker="|",
            s=80,
            linewidth=1.6,
            clip_on=False,
            zorder=4,
            legend=False,
            ax=axes,
        )
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    along_training(axes, max(survival["time"].max(), 1))
    return finished(figure, axes, "runs that have not solved it yet")

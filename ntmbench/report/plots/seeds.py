"""The test score of every run, beside those of its model's other seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ntmbench.plotting.scales import scale_scores
from ntmbench.plotting.style import COLOURS, Look, styled
from ntmbench.plotting.wording import axis
from ntmbench.report.plots.panel import finished, panel

#: The seeds of a model take so much of its place on the x axis.
BREADTH = 0.6


@styled
def plot_seeds(
    runs: pd.DataFrame, column: str, looks: Mapping[str, Look], length: int, *, unit: str
) -> Figure:
    """A point per run and a line at each model's median, models in the order of the legend.

    The seeds of a model are side by side, every seed at the same place. What is infinitely bad
    lies at the upper end, as a triangle. More models than there are colours have numbers.

    Args:
        runs: the columns label, seed and ``column``; runs without a score are left out.
        column: errors or loss_bits.
        looks: how each label is drawn; labels without data are left out.
        length: the test length.
        unit: of the task's answers.
    """
    figure, axes = panel()
    known = runs[runs["label"].isin(list(looks))].dropna(subset=column)
    shown = [label for label in looks if (known["label"] == label).any()]
    scale_scores(axes, known[column])
    top = axes.get_ylim()[1]
    seeds = sorted(known["seed"].unique())
    offsets = dict(zip(seeds, np.linspace(-0.5, 0.5, len(seeds) + 2)[1:-1], strict=True))
    points = known.assign(
        place=[
            shown.index(label) + BREADTH * offsets[seed]
            for label, seed in zip(known["label"], known["seed"], strict=True)
        ],
        score=known[column].clip(upper=top),
    )
    infinite = known[column] == math.inf
    for part, marker in ((points[~infinite], "o"), (points[infinite], "^")):
        sns.stripplot(
            part,
            x="place",
            y="score",
            hue="label",
            hue_order=shown,
            palette={label: looks[label].colour for label in shown},
            jitter=False,
            native_scale=True,
            marker=marker,
            size=5,
            legend=False,
            clip_on=False,
            zorder=3,
            ax=axes,
        )
    numbered = len(shown) > len(COLOURS)
    for place, label in enumerate(shown):
        name = f"{place + 1}: {label}" if numbered else label
        median = min(float(known.loc[known["label"] == label, column].median()), top)
        half = BREADTH / 2
        colour = looks[label].colour
        axes.hlines(median, place - half, place + half, color=colour, lw=1.8, label=name)
    axes.set_xlim(-0.5, len(shown) - 0.5)
    if numbered:
        axes.set_xticks(range(len(shown)), [str(place + 1) for place in range(len(shown))])
        axes.tick_params(axis="x", length=0, labelsize=7)
        axes.grid(visible=False, axis="x")
    else:
        axes.xaxis.set_major_locator(NullLocator())
    axes.set_xlabel("every run, a model's seeds side by side")
    return finished(figure, axes, f"{axis(column, unit)}, test length {length:,}")

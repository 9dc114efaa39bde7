"""Every task and model at one look: a field for each, the darker the more errors are left."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from ntmbench.plotting.style import styled, wrapped

#: Inches of a row and of a column.
ROW, COLUMN = 0.26, 0.62
#: Inches of a letter, and of what surrounds the labels.
LETTER, MARGIN = 0.085, 0.4
#: Letters of a line of a label.
LINE = 28
#: Colours from none of chance's errors to all of them.
COLOURS = "Blues"


@styled
def plot_profile(profile: pd.DataFrame) -> Figure:
    """The share of chance's errors that is left, per cent, by task and model.

    ``profile`` has the columns of ``profile_table``: tasks and models stand in their order there.
    A field is empty where a model was not tested or the share is not known.
    """
    family = profile["family"].map(lambda name: f"{name}: " if name else "")
    named = profile.assign(task=family + profile["section"])
    shares = named.pivot(index="task", columns="label", values="share").reindex(
        index=named["task"].unique(), columns=named["label"].unique()
    )
    tasks, models = ([wrapped(str(name), LINE) for name in axis] for axis in shares.axes)
    figure = Figure(
        figsize=(
            MARGIN + LETTER * _longest_line(tasks) + COLUMN * len(models),
            MARGIN + LETTER * _longest_line(models) + ROW * sum(_lines(name) for name in tasks),
        )
    )
    axes = figure.subplots()
    sns.heatmap(
        100 * shares.clip(upper=1.0),
        vmin=0,
        vmax=100,
        cmap=COLOURS,
        annot=np.vectorize(per_cent, otypes=[str])(shares.to_numpy()),
        fmt="",
        annot_kws={"fontsize": 8},
        linewidths=0.6,
        cbar=False,
        xticklabels=models,
        yticklabels=tasks,
        ax=axes,
    )
    axes.grid(visible=False)
    axes.xaxis.tick_top()
    axes.tick_params(left=False, top=False, labelsize=9)
    axes.tick_params(axis="x", rotation=90)
    axes.tick_params(axis="y", rotation=0)
    axes.set(xlabel="", ylabel="")
    return figure


def per_cent(share: float) -> str:
    """Whole per cent, rounded up as mistakes are; under one where there are few."""
    if math.isnan(share):
        return ""
    if math.isinf(share):
        return "inf"
    return "<1" if 0 < share < 0.01 else f"{math.ceil(100 * share - 1e-9)}"


def _longest_line(names: list[str]) -> int:
    return max(len(line) for name in names for line in name.split("\n"))


def _lines(name: str) -> int:
    return name.count("\n") + 1

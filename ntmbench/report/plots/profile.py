"""Every task and model at one look: a field for each, the darker the more errors are left."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from ntmbench.plotting.style import styled

#: Inches of a row, of a column and of what surrounds them.
ROW, COLUMN, LEFT, TOP = 0.24, 0.62, 2.6, 1.3
#: Colours from none of chance's errors to all of them.
COLOURS = "Blues"


@styled
def plot_profile(profile: pd.DataFrame) -> Figure:
    """The share of chance's errors that is left, per cent, by task and model.

    ``profile`` has the columns of ``profile_table``: tasks and models stand in their order there.
    A field is empty where a model was not tested or the share is not known.
    """
    named = profile.assign(
        name=profile["family"].where(profile["family"] == "", profile["family"] + ": ")
        + profile["section"]
    )
    shares = named.pivot(index="name", columns="label", values="share").reindex(
        index=named["name"].unique(), columns=named["label"].unique()
    )
    rows, columns = shares.shape
    figure = Figure(figsize=(LEFT + COLUMN * columns, TOP + ROW * rows))
    axes = figure.subplots()
    sns.heatmap(
        100 * shares.clip(upper=1.0),
        vmin=0,
        vmax=100,
        cmap=COLOURS,
        annot=np.vectorize(_percent)(shares.to_numpy()),
        fmt="",
        annot_kws={"fontsize": 8},
        linewidths=0.6,
        cbar=False,
        xticklabels=True,
        yticklabels=True,
        ax=axes,
    )
    axes.grid(visible=False)
    axes.tick_params(left=False, bottom=False, top=False, labelsize=9)
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", rotation=90 if columns > 4 else 0, length=0)
    axes.set(xlabel="", ylabel="")
    return figure


def _percent(share: float) -> str:
    """Whole per cent; under one where there are some errors at all."""
    if np.isnan(share):
        return ""
    return "<1" if 0 < share < 0.01 else f"{100 * share:.0f}"

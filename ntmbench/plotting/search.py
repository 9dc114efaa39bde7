"""Pictures of a search: what each setting matters, and the scores over its values."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from ntmbench.data.ranges import Choice, LogRange, Searched
from ntmbench.plotting.scales import scale_scores
from ntmbench.plotting.style import COLOURS, MUTED, styled

#: Pictures in a row.
COLUMNS = 3


@styled
def plot_importance(shares: pd.Series[float]) -> Figure:
    """A bar for each setting: its share in the difference between good trials and all others."""
    figure = Figure(figsize=(7, 1 + 0.4 * len(shares)))
    axes = figure.subplots()
    sns.barplot(x=shares.to_numpy(), y=list(shares.index), color=COLOURS[0], ax=axes)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share (PED-ANOVA)")
    axes.set_title("Importance of the settings searched")
    return figure


@styled
def plot_slices(table: pd.DataFrame, space: Mapping[str, Searched], label: str) -> Figure:
    """The score of every trial over each setting.

    Args:
        table: the columns state, score and last_validation, and one of each setting's values.
        space: the range of each setting.
        label: what the score counts.
    """
    rows = -(-len(space) // COLUMNS)
    figure = Figure(figsize=(3.4 * min(len(space), COLUMNS), 2.9 * rows))
    grid = figure.subplots(rows, min(len(space), COLUMNS), sharey=True, squeeze=False)
    shown = table[table["state"].isin(["finished", "pruned"])]
    finished = shown["state"] == "finished"
    scores = shown["score"].where(finished, shown["last_validation"])
    for axes, (name, values) in zip(grid.flat, space.items(), strict=False):
        _draw_slice(axes, shown.assign(score=scores), name, values)
    for axes in grid.flat[len(space) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel(label)
    scale_scores(grid[0, 0], scores)
    title = "Trials of the search, validation data"
    if not finished.all():
        title += " (crosses: pruned, at their last validation)"
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def _draw_slice(axes: Axes, table: pd.DataFrame, name: str, values: Searched) -> None:
    along = table[name]
    if isinstance(values, Choice):
        order = sorted(values.values) if _alike(values) else list(values.values)
        along = along.map(order.index)
        axes.set_xticks(range(len(order)), [str(value) for value in order])
        axes.set_xlim(-0.5, len(order) - 0.5)
    for state, marker, colour in (("pruned", "X", MUTED), ("finished", "o", COLOURS[0])):
        of_state = table["state"] == state
        sns.scatterplot(
            x=along[of_state],
            y=table["score"][of_state],
            color=colour,
            marker=marker,
            alpha=0.8,
            s=32,
            ax=axes,
        )
    if isinstance(values, LogRange):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif not isinstance(values, Choice):
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=isinstance(values.low, int)))
    axes.set_xlabel(name)
    axes.set_ylabel("")


def _alike(values: Choice) -> bool:
    """Whether all values are numbers, so that they have an order to be shown in."""
    return all(isinstance(value, int | float) for value in values.values)

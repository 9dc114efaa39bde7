"""Pictures of a search: what each setting matters, and the scores over its values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from ntmbench.data.ranges import Choice, LogRange, Searched
from ntmbench.plotting.scales import scale_scores
from ntmbench.plotting.style import COLOURS, MUTED, PAPER, styled

#: Pictures in a row.
COLUMNS = 3
#: The breadth over which trials of one value are spread, where values are 1 apart, so that they do
#: not hide each other; and the step from one trial to the next, by which they fill it evenly.
BREADTH, STEP = 0.5, (math.sqrt(5) - 1) / 2
#: What a range takes of its picture's width.
FILLED = 0.92


@dataclass(frozen=True)
class Mark:
    """How trials of one kind are drawn; later kinds lie above earlier ones."""

    marker: str
    colour: str
    size: int


MARKS = {
    "pruned, at the last validation": Mark("X", MUTED, 30),
    "finished": Mark("o", COLOURS[0], 32),
    "finished, score not finite": Mark("^", COLOURS[0], 40),
    "today's values": Mark("D", COLOURS[1], 44),
    "best": Mark("*", COLOURS[2], 170),
}
PRUNED, FINISHED, NOT_FINITE, TODAYS, BEST = MARKS


@styled
def plot_importance(shares: pd.Series[float]) -> Figure:
    """A bar for each setting: its share in the difference between good trials and all others."""
    figure = Figure(figsize=(7, 1 + 0.4 * len(shares)))
    axes = figure.subplots()
    sns.barplot(x=shares.to_numpy(), y=list(shares.index), color=COLOURS[0], ax=axes)
    for place, share in enumerate(shares):
        told = f"{share:.0%}" if share >= 0.01 else "< 1%"
        axes.annotate(told, (share, place), (4, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, 1.12 * max(shares.max(), 0.01))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share in what sets the best finished trials apart (PED-ANOVA)")
    axes.set_title("Importance of the settings searched")
    return figure


@styled
def plot_slices(
    table: pd.DataFrame, space: Mapping[str, Searched], label: str, best: int
) -> Figure:
    """The score of every trial over each setting, from one end of its range to the other.

    Args:
        table: the columns trial, state, today, score and last_validation, and one of each setting's
            values.
        space: the range of each setting.
        label: what the score counts.
        best: the number of the best trial.
    """
    rows = -(-len(space) // COLUMNS)
    figure = Figure(figsize=(3.4 * min(len(space), COLUMNS), 2.9 * rows + 0.4))
    grid = figure.subplots(rows, min(len(space), COLUMNS), sharey=True, squeeze=False)
    shown = table[table["state"].isin(["finished", "pruned"])]
    scores = shown["score"].where(shown["state"] == "finished", shown["last_validation"])
    scale_scores(grid[0, 0], scores)
    drawn = shown.assign(
        kind=_kinds(shown, scores, best), score=scores.clip(upper=grid[0, 0].get_ylim()[1])
    )
    for axes, (name, values) in zip(grid.flat, space.items(), strict=False):
        _draw_slice(axes, drawn, name, values)
    for axes in grid.flat[len(space) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel(label)
    figure.suptitle("Trials of the search, validation data", x=0.01, ha="left")
    handles, kinds = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, kinds, loc="outside lower left", ncols=len(kinds), frameon=False)
    return figure


def _kinds(table: pd.DataFrame, scores: pd.Series[float], best: int) -> pd.Series[str]:
    kinds = table["state"].map({"pruned": PRUNED, "finished": FINISHED})
    kinds = kinds.mask(~np.isfinite(scores), NOT_FINITE)
    return kinds.mask(table["today"], TODAYS).mask(table["trial"] == best, BEST)


def _draw_slice(axes: Axes, table: pd.DataFrame, name: str, values: Searched) -> None:
    along = table[name]
    if isinstance(values, Choice):
        order = sorted(values.values) if _alike(values) else list(values.values)
        along = along.map(order.index)
        axes.set_xticks(range(len(order)), [_text(value) for value in order])
        low, high, whole = 0.0, len(order) - 1.0, True
    else:
        low, high, whole = values.low, values.high, isinstance(values.low, int)
    logarithmic = isinstance(values, LogRange)
    if whole and not logarithmic:
        along = along + BREADTH * ((table["trial"] * STEP) % 1 - 0.5)
        low, high = low - 0.5, high + 0.5
    for kind, mark in MARKS.items():
        of_kind = table["kind"] == kind
        if of_kind.any():
            axes.scatter(
                along[of_kind],
                table["score"][of_kind],
                s=mark.size,
                c=mark.colour,
                marker=mark.marker,
                label=kind,
                edgecolors=PAPER,
                linewidths=0.5,
                clip_on=False,
                zorder=3,
            )
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        margin = (high / low) ** ((1 / FILLED - 1) / 2)
        axes.set_xlim(low / margin, high * margin)
    else:
        margin = (high - low) * (1 / FILLED - 1) / 2
        axes.set_xlim(low - margin, high + margin)
        if not isinstance(values, Choice):
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=whole))
    axes.set_xlabel(name)


def _alike(values: Choice) -> bool:
    """Whether all values are numbers, so that they have an order to be shown in."""
    return all(isinstance(value, int | float) for value in values.values)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)

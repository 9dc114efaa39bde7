"""The report's pictures of a task, all models in one: curves, survival, lengths and positions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ntmbench.report.guides import Level, Moment, draw_levels, draw_moments
from ntmbench.report.legend import fixed_layout
from ntmbench.report.style import (
    MUTED,
    Look,
    plain_figure,
    scale_bits,
    scale_lengths,
    shade_selection,
    shade_training,
    styled,
    thousands,
    wrapped,
)

#: Stands for infinity, the score of what diverged: a band up to here leaves the picture.
BEYOND = 1e9

#: Inches of a picture without its legend: a third of the page's width.
SIZE = (4.8, 3.0)

AXIS = {
    "errors": "wrong bits per sequence",
    "loss_bits": "loss bits per sequence",
    "exact_match": "sequences without a wrong bit",
}


@styled
def plot_curves(
    curves: pd.DataFrame,
    bands: pd.DataFrame,
    column: str,
    looks: Mapping[str, Look],
    levels: Sequence[Level] = (),
    moments: Sequence[Moment] = (),
) -> Figure:
    """Learning curves: a thin line per run, the median over runs and their interquartile range.

    Args:
        curves: the columns run, label, sequences and ``column``.
        bands: the columns label, sequences, runs, low, median and high.
        column: loss_bits or errors.
        looks: how each label is drawn; labels without data are left out.
        levels: lines to compare with.
        moments: numbers of sequences to compare with.
    """
    figure, axes = _panel()
    end = max(curves["sequences"].max(), 1)
    draw_levels(axes, levels)
    draw_moments(axes, moments, end)
    for label, look in looks.items():
        runs = [
            run[["sequences", column]].to_numpy(dtype=float)
            for _, run in curves[curves["label"] == label].groupby("run")
        ]
        if not runs:
            continue
        band = bands[bands["label"] == label]
        if len(runs) > 1:
            axes.add_collection(
                LineCollection(runs, colors=look.colour, linewidths=0.6, alpha=0.45, zorder=2)
            )
            axes.fill_between(
                band["sequences"],
                band["low"],
                band["high"].clip(upper=BEYOND),
                where=np.isfinite(band["low"]),
                color=look.colour,
                alpha=0.18,
                linewidth=0,
            )
        axes.plot(
            band["sequences"],
            band["median"].replace(math.inf, math.nan),
            color=look.colour,
            linestyle=look.dashes,
            linewidth=look.width,
            label=wrapped(label),
            zorder=3,
        )
    _scale(axes, [*curves[column], *(level.high for level in levels)])
    _along_training(axes, end)
    axes.set_title(f"{AXIS[column]}, validation")
    fixed_layout(figure, axes, columns=2)
    return figure


@styled
def plot_survival(survival: pd.DataFrame, looks: Mapping[str, Look]) -> Figure:
    """The share of runs that have not solved the task yet, over training, with its 95% band.

    ``survival`` has the column label and those of ``kaplan_meier``. A short upright stroke marks
    where runs were last seen unsolved.
    """
    figure, axes = _panel()
    end = max(survival["time"].max(), 1)
    for label, look in looks.items():
        curve = survival[survival["label"] == label]
        if curve.empty:
            continue
        axes.fill_between(
            curve["time"],
            curve["low"],
            curve["high"],
            step="post",
            color=look.colour,
            alpha=0.13,
            linewidth=0,
        )
        axes.plot(
            curve["time"],
            curve["survival"],
            drawstyle="steps-post",
            color=look.colour,
            linestyle=look.dashes,
            linewidth=look.width,
            label=wrapped(label),
            zorder=3,
        )
        censored = curve[curve["censored"] > 0]
        axes.plot(
            censored["time"],
            censored["survival"],
            "|",
            color=look.colour,
            markersize=9,
            markeredgewidth=1.6,
            clip_on=False,
            zorder=4,
        )
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    _along_training(axes, end)
    axes.set_title("runs that have not solved it yet")
    fixed_layout(figure, axes, columns=2)
    return figure


@styled
def plot_lengths(
    table: pd.DataFrame,
    column: str,
    looks: Mapping[str, Look],
    trained: tuple[int, int] | None,
    selection: Sequence[int],
    levels: pd.DataFrame,
) -> Figure:
    """A score over the test length: median and range over runs, training lengths shaded.

    Beyond them, up to the longest length at which weights are selected, the shade is lighter.

    Args:
        table: the columns label, length, evaluated and ``<column>_median``, ``_min``, ``_max``.
        column: errors, loss_bits or exact_match.
        looks: how each label is drawn; labels without data are left out.
        trained: the shortest and the longest training length.
        selection: lengths of the validation data at which weights are selected, beside those.
        levels: the columns length, name and value: lines to compare with, over length.
    """
    figure, axes = _panel()
    if trained is not None:
        shade_training(axes, trained)
        shade_selection(axes, trained[1], selection)
    for name, line in levels.groupby("name"):
        dashes = (0, (1, 1)) if name == "optimum" else (0, (6, 3))
        axes.plot(line["length"], line["value"], color=MUTED, ls=dashes, lw=1.2, label=str(name))
    for label, look in looks.items():
        rows = table[table["label"] == label]
        if rows.empty:
            continue
        if rows["evaluated"].max() > 1:
            axes.fill_between(
                rows["length"],
                rows[f"{column}_min"],
                rows[f"{column}_max"].clip(upper=BEYOND),
                color=look.colour,
                alpha=0.15,
                linewidth=0,
            )
        axes.plot(
            rows["length"],
            rows[f"{column}_median"],
            color=look.colour,
            linestyle=look.dashes,
            linewidth=look.width,
            marker="o",
            markersize=3 + look.width,
            label=wrapped(label),
        )
    if column == "exact_match":
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    else:
        _scale(axes, [*table[f"{column}_min"], *table[f"{column}_max"], *levels["value"]])
    scale_lengths(axes, [int(length) for length in table["length"]])
    axes.set_xlabel("test length")
    axes.set_title(f"{AXIS[column]}, test")
    fixed_layout(figure, axes, columns=2)
    return figure


@styled
def plot_positions(
    positions: pd.DataFrame, length: int, looks: Mapping[str, Look], chance: float
) -> Figure:
    """Wrong bits at each step of the answer to one test length: median and quartiles over runs.

    Args:
        positions: the columns label, position, low, median and high.
        length: the test length.
        looks: how each label is drawn; labels without data are left out.
        chance: wrong bits at a step of the best constant answer, on average; NaN if not known.
    """
    figure, axes = _panel()
    if math.isfinite(chance):
        axes.axhline(chance, color=MUTED, ls=(0, (6, 3)), lw=1.2, label="chance")
    for label, look in looks.items():
        rows = positions[positions["label"] == label].sort_values("position")
        if rows.empty:
            continue
        axes.fill_between(
            rows["position"] + 1,
            rows["low"],
            rows["high"].clip(upper=BEYOND),
            color=look.colour,
            alpha=0.15,
            linewidth=0,
        )
        axes.plot(
            rows["position"] + 1,
            rows["median"].replace(math.inf, math.nan),
            color=look.colour,
            linestyle=look.dashes,
            linewidth=look.width,
            marker="o" if len(rows) == 1 else "",
            label=wrapped(label),
        )
    highest = positions.loc[np.isfinite(positions["high"]), "high"]
    top = 1.15 * np.nanmax([*highest, chance, 0.01])
    axes.set_ylim(-0.03 * top, top)
    axes.margins(x=0.01)
    axes.set_title(f"wrong bits at each step, test length {length:,}")
    axes.set_xlabel("step of the answer")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    fixed_layout(figure, axes, columns=2)
    return figure


def _panel() -> tuple[Figure, Axes]:
    figure = plain_figure(*SIZE)
    return figure, figure.subplots()


def _along_training(axes: Axes, end: float) -> None:
    axes.set_xlim(left=0, right=end)
    thousands(axes)
    axes.set_xlabel("training sequences")


def _scale(axes: Axes, values: Sequence[float]) -> None:
    """Scale the y axis for the finite ones of ``values``, so that no band to BEYOND decides it."""
    finite = [value for value in values if math.isfinite(value)]
    scale_bits(axes, finite)
    if finite and axes.get_yscale() == "linear":
        low, high = min(finite), max(finite)
        margin = max(0.1 * (high - low), 0.01 * high, 1e-9)
        axes.set_ylim(low - margin, high + margin)

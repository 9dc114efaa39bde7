"""The picture of growth: time and memory over T and over N, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ntmbench.bench.cases import ENGINES
from ntmbench.bench.growth import Slope
from ntmbench.plotting.style import COLOURS, png, styled

#: What grows, and the label of its axis.
AXES = {"T": "steps of a sequence, T (N = 128)", "N": "memory slots, N (T = 41)"}
#: Room above the highest line for the legend, as a factor.
HEADROOM = 6


@styled
def growth_png(table: pd.DataFrame, slopes: dict[tuple[str, str], Slope]) -> bytes:
    """Draw the table of ``measure_growth`` as a PNG file."""
    figure = Figure(figsize=(10, 7.2))
    grid = figure.subplots(2, 2, squeeze=False, sharex="col", sharey="row")
    figure.suptitle("Copy: one training step at batch 1", x=0.01, ha="left")
    for column, (grows, label) in enumerate(AXES.items()):
        part = table[table["grows"] == grows]
        time, memory = grid[:, column]
        told = [
            f"{engine}, slope {slopes[grows, engine].upper:.2f} at the largest"
            for engine in ENGINES
        ]
        with_slopes = part.replace({"model": dict(zip(ENGINES, told, strict=True))})
        _draw_engines(time, with_slopes, "ms_per_sequence", told)
        _draw_engines(memory, part, "peak_memory_mb", ENGINES)
        known = part.dropna(subset="formula_mb").sort_values("size")
        memory.plot(
            known["size"], known["formula_mb"], "--", color="0.25", label="fused, by the formula"
        )
        memory.set_xlabel(label)
        _scale_sizes(memory, sorted(set(part["size"])))
    for row, label in zip(grid, ("time per sequence (ms)", "peak memory (MB)"), strict=True):
        row[0].set_ylabel(label)
        row[0].set_yscale("log")
        row[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        row[0].set_ylim(top=row[0].get_ylim()[1] * HEADROOM)
        for axes in row:
            axes.legend(loc="upper left")
    return png(figure)


def _draw_engines(axes: Axes, table: pd.DataFrame, column: str, engines: Sequence[str]) -> None:
    """A line with marks for each of ``engines``, as the table's column model calls them."""
    sns.lineplot(
        table,
        x="size",
        y=column,
        hue="model",
        hue_order=engines,
        palette=COLOURS[: len(engines)],
        style="model",
        style_order=engines,
        markers=True,
        dashes=False,
        estimator=None,
        ax=axes,
    )


def _scale_sizes(axes: Axes, sizes: list[int]) -> None:
    """A logarithmic axis with a tick at every size."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params("x", rotation=30)

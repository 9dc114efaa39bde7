"""The picture of growth: time and memory over T and over N, both axes logarithmic."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ntmbench.bench.cases import ENGINES
from ntmbench.bench.growth import Slope
from ntmbench.plotting.style import COLOURS, png, styled

#: What grows, and the label of its axis.
AXES = {"T": "steps of a sequence, T (N = 128)", "N": "memory slots, N (T = 41)"}
MARKERS = ("o", "s")
#: Room above the highest line for the legend, as a factor.
HEADROOM = 6


@styled
def growth_png(table: pd.DataFrame, slopes: dict[tuple[str, str], Slope]) -> bytes:
    """Draw the table of ``measure_growth`` as a PNG file."""
    figure = Figure(figsize=(10, 7.2))
    grid = figure.subplots(2, 2, squeeze=False, sharex="col", sharey="row")
    figure.suptitle("Copy: one training step at batch 1", x=0.01, ha="left")
    for column, (grows, label) in enumerate(AXES.items()):
        part = table[table["grows"] == grows].sort_values("size")
        time, memory = grid[0][column], grid[1][column]
        for engine, colour, marker in zip(ENGINES, COLOURS, MARKERS, strict=False):
            rows = part[part["model"] == engine]
            slope = slopes[grows, engine].upper
            look = {"color": colour, "marker": marker, "markersize": 4}
            named = f"{engine}, slope {slope:.2f} at the largest"
            time.plot(rows["size"], rows["ms_per_sequence"], label=named, **look)
            memory.plot(rows["size"], rows["peak_memory_mb"], label=engine, **look)
        known = part.dropna(subset="formula_mb")
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


def _scale_sizes(axes: Axes, sizes: list[int]) -> None:
    """A logarithmic axis with a tick at every size."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params("x", rotation=30)

"""The picture of growth: time and memory over T and over N, both axes logarithmic."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntmbench.bench.cases import ENGINES
from ntmbench.bench.growth import Slope
from ntmbench.report.style import COLOURS, png, scale_lengths, styled

AXES = {"T": "steps of a sequence, T (N = 128)", "N": "memory slots, N (T = 41)"}


@styled
def growth_png(table: pd.DataFrame, slopes: dict[tuple[str, str], Slope]) -> bytes:
    """Draw the table of ``measure_growth`` as a PNG file."""
    figure = Figure(figsize=(10, 7.2))
    grid = figure.subplots(2, 2, squeeze=False, sharex="col")
    figure.suptitle("Copy, one training step at batch 1", x=0.01, ha="left")
    for column, (grows, label) in enumerate(AXES.items()):
        part = table[table["grows"] == grows]
        time, memory = grid[0][column], grid[1][column]
        for engine, colour, marker in zip(ENGINES, COLOURS, "os", strict=False):
            rows = part[part["model"] == engine].sort_values("size")
            slope = slopes[grows, engine].upper
            _line(time, rows, "ms_per_sequence", f"{engine} (slope {slope:.2f})", colour, marker)
            _line(memory, rows, "peak_memory_mb", f"{engine}, measured", colour, marker)
        kept = part[part["model"] == ENGINES[0]].sort_values("size")
        memory.plot(kept["size"], kept["formula_mb"], "--", color="0.25", label="fused, formula")
        time.set_ylabel("time per sequence (ms)")
        memory.set_ylabel("memory for backward (MB)")
        memory.set_xlabel(label)
        for axes in (time, memory):
            axes.set_yscale("log")
            axes.legend()
        scale_lengths(memory, sorted(set(part["size"])))
    return png(figure)


def _line(
    axes: Axes, rows: pd.DataFrame, column: str, label: str, colour: str, marker: str
) -> None:
    axes.plot(rows["size"], rows[column], color=colour, marker=marker, markersize=4, label=label)

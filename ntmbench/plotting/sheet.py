"""Panels of one sequence, laid out on a sheet over the same steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ntmbench.plotting.heatmaps import draw_heatmap, mark_answer, panel_height
from ntmbench.plotting.panels import Panel, without_unused
from ntmbench.plotting.style import plain_figure, styled, wrapped

#: Inches.
WIDTH = 9.5
BAR = 0.8  # right of the axes, for the scale
CHARACTER = 0.085
#: At most so many characters in a line left of a panel.
LABEL_WIDTH = 24


@styled
def draw_panels(
    panels: Sequence[Panel],
    *,
    title: str = "",
    answer_start: int = 0,
    columns: int = 1,
    steps: str = "step",
) -> Figure:
    """Draw panels below one another, or row by row in two columns.

    A panel's title is on its left in one column, and above it in two. Weights are shown without
    their unused rows, and the figure's title says so.

    Args:
        panels: of the same steps; at least one.
        title: of the figure.
        answer_start: the step at which the answer begins; 0 if it runs beside the input.
        columns: 1 or 2.
        steps: what the steps are called below the panels.
    """
    panels, notes = without_unused(panels)
    title = ": ".join(part for part in (title, ", ".join(notes)) if part)
    rows = [panels[place : place + columns] for place in range(0, len(panels), columns)]
    heights = [max(panel_height(panel) for panel in row) for row in rows]
    labels = ["\n".join(_left_of(panel)) for panel in panels]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    ticks = max(len(name) for panel in panels for name in panel.row_names) * CHARACTER + 0.1
    left = ticks + (0.1 + CHARACTER * longest if columns == 1 else 0.35)
    gap = 0.14 if columns == 1 else 0.42
    top = 0.1 + 0.32 * bool(title) + 0.24 * (columns > 1)
    height = top + sum(heights) + gap * (len(rows) - 1) + 0.5
    figure = plain_figure(WIDTH, height)
    across = (WIDTH - columns * (left + BAR)) / columns  # of each axes
    figure.subplots_adjust(
        left=left / WIDTH,
        right=1 - BAR / WIDTH,
        top=1 - top / height,
        bottom=0.5 / height,
        hspace=gap * len(rows) / sum(heights),
        wspace=(left + BAR) / across,
    )
    grid = figure.subplots(len(rows), columns, sharex=True, height_ratios=heights, squeeze=False)
    for axes, panel, label in zip(grid.flat, panels, labels, strict=False):
        draw_heatmap(axes, panel)
        mark_answer(axes, answer_start)
        if columns == 1:
            axes.set_ylabel("")
            axes.text(
                *(-(ticks + 0.1) / across, 0.5, label),
                transform=axes.transAxes,
                ha="right",
                va="center",
            )
        else:
            axes.set_title(panel.title)
            axes.set_ylabel(_row_label(panel))
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for column in range(columns):
        below = panels[column::columns]
        axes = grid[len(below) - 1, column]
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(_steps_label(steps, below))
    if title:
        figure.suptitle(title, x=0.01, y=1 - 0.08 / height, ha="left", va="top")
    return figure


def _left_of(panel: Panel) -> list[str]:
    """The lines left of a panel."""
    lines = [wrapped(line, LABEL_WIDTH) for line in panel.title.split("\n")]
    return [*lines, f"({_row_label(panel)})"] if panel.rows else lines


def _row_label(panel: Panel) -> str:
    return panel.rows if panel.groups.shape[1] == 1 else f"{panel.group} ({panel.rows}s)"


def _steps_label(steps: str, panels: Sequence[Panel]) -> str:
    """The label of the steps, which tells what marks in these panels mean."""
    marks = []
    if any(np.isnan(panel.values).any() for panel in panels):
        marks.append("hatched: not scored")
    if any(panel.crosses is not None for panel in panels):
        marks.append("cross: wrong")
    if any(panel.scale == "words" for panel in panels):
        marks.append("red: wrong")
    return f"{steps} ({'; '.join(marks)})" if marks else steps

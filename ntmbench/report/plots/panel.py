"""The axes of the report's pictures: of one size, so that they can be compared."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntmbench.plotting.legend import fixed_layout
from ntmbench.plotting.style import plain_figure

#: Inches of a picture without its legend: a third of the page's width.
SIZE = (4.8, 3.0)


def panel() -> tuple[Figure, Axes]:
    """An empty figure and its axes."""
    figure = plain_figure(*SIZE)
    return figure, figure.subplots()


def finished(figure: Figure, axes: Axes, title: str) -> Figure:
    """The figure with its title, and its legend below the axes."""
    axes.set_title(title)
    axes.set_ylabel("")  # the title says it
    fixed_layout(figure, axes, columns=2)
    return figure

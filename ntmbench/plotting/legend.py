"""Legends under the axes, where they hide no data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntmbench.plotting.style import wrapped

#: Breadth of a legend's entry: about so much for each character, and for the line before them.
CHARACTER_INCHES = 0.08
HANDLE_INCHES = 0.65


def legend_below(figure: Figure, handles_of: Sequence[Axes], *, columns: int) -> None:
    """One legend for all ``handles_of``, under the axes, where it hides no data.

    The figure is made so much higher. There are at most ``columns`` columns, and fewer where the
    longest label would not fit into one; labels that are longer than a line are wrapped.
    """
    entries, columns, height = _legend_of(figure, handles_of, columns)
    if not entries:
        return
    figure.set_figheight(figure.get_figheight() + height)
    figure.legend(
        entries.values(), entries.keys(), loc="outside lower left", ncols=columns, frameon=False
    )


#: Inches around the axes of ``fixed_layout``: left, right, top, bottom.
MARGINS = (0.62, 0.22, 0.34, 0.52)


def fixed_layout(figure: Figure, axes: Axes, *, columns: int) -> None:
    """Lay out a ``plain_figure``'s only axes within margins of inches, their legend under them.

    Pictures of one size then have axes of one size. The figure is made higher by the legend.
    """
    entries, columns, legend = _legend_of(figure, [axes], columns)
    height, width = figure.get_figheight() + legend, figure.get_figwidth()
    left, right, top, bottom = MARGINS
    figure.set_figheight(height)
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=(bottom + legend) / height,
    )
    if entries:
        figure.legend(
            entries.values(),
            entries.keys(),
            loc="lower left",
            bbox_to_anchor=(0, 0),
            ncols=columns,
            frameon=False,
        )


def _legend_of(
    figure: Figure, handles_of: Sequence[Axes], columns: int
) -> tuple[dict[str, Artist], int, float]:
    """A legend's entries, in how many columns they fit, and its height in inches."""
    entries: dict[str, Artist] = {}
    for axes in handles_of:
        handles, labels = axes.get_legend_handles_labels()
        entries.update(zip(map(wrapped, labels), handles, strict=True))
    if not entries:
        return entries, 1, 0.0
    longest = max(len(line) for label in entries for line in label.split("\n"))
    fitting = int(figure.get_figwidth() / (HANDLE_INCHES + CHARACTER_INCHES * longest))
    columns = max(1, min(columns, fitting))
    lines = max(
        sum(label.count("\n") + 1 for label in column)
        for column in _columns_of(list(entries), columns)
    )
    return entries, columns, 0.15 + 0.2 * lines


def _columns_of(labels: list[str], columns: int) -> Iterator[list[str]]:
    """How matplotlib fills a legend's columns: one after the other, the first ones higher."""
    share, more = divmod(len(labels), columns)
    start = 0
    for column in range(min(columns, len(labels))):
        size = share + (column < more)
        yield labels[start : start + size]
        start += size

"""A panel as a heat map."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator
from numpy.typing import NDArray

from ntmbench.plotting.panels import FloatArray, Panel
from ntmbench.plotting.style import HATCH, INK, PAPER, WRONG

#: None of them is grey, which could be taken for the ground of what does not count.
COLOUR_MAPS: dict[str, str | Colormap] = {
    "unit": "viridis",
    "weights": "viridis",
    "signed": "RdBu_r",
    "error": "Reds",
    "words": LinearSegmentedColormap.from_list("words", [PAPER, WRONG]),
}

#: At most so many rows have their number beside them, or their name.
MOST_TICKS = 6
MOST_NAMES = 24

# Inches: the room for all steps, at the least; a letter; a line; a row with a name beside it.
STEPS_ROOM = 6.6
LETTER, LINE = 0.065, 0.2
NAMED_ROW = 0.12


def panel_height(panel: Panel) -> float:
    """Inches for a panel, by its rows."""
    _, groups, rows = panel.groups.shape
    if panel.texts is not None:
        line = LINE if _upright(panel) else 0.1 + LETTER * _longest(panel)
        return line * len(panel.row_names)
    row = NAMED_ROW if _named(panel) else 0.08
    return float(np.clip(0.2 + row * groups * rows, 0.45, 3.2))


def draw_heatmap(axes: Axes, panel: Panel) -> None:
    """Draw a panel, with its scale on the right; what is NaN shows the hatched ground."""
    low, high = panel.range
    values = np.ma.masked_invalid(_upwards(panel.groups))
    cells = axes.pcolormesh(
        values,
        cmap=COLOUR_MAPS[panel.scale],
        vmin=low,
        vmax=high,
        rasterized=True,  # in an SVG thousands of cells would be as many shapes
    )
    rows, steps = values.shape
    axes.set(xlim=(0, steps), ylim=(0, rows), xticks=[], yticks=[])
    axes.grid(visible=False)
    if panel.texts is not None:
        _write_texts(axes, panel, panel.texts)
    if panel.scale != "words":
        ticks = sorted({low, 0.0, high}) if panel_height(panel) > 0.5 else [low, high]
        bar = axes.inset_axes((1.01, 0, 0.015, 1))
        axes.figure.colorbar(cells, cax=bar, ticks=ticks, format="%.3g")
        bar.grid(visible=False)
        bar.tick_params(labelsize=8, length=2)
    axes.patch.set(facecolor=PAPER, hatch="////", edgecolor=HATCH)
    _number_rows(axes, panel)
    _number_steps(axes, panel.values.shape[0])
    if panel.crosses is not None:
        _cross(axes, panel.crosses)


def _write_texts(axes: Axes, panel: Panel, texts: NDArray[np.str_]) -> None:
    """Write each cell's text into it, but for what does not count."""
    rotation = 0 if _upright(panel) else 90
    for (row, step), text in np.ndenumerate(texts.T):
        if not np.isnan(panel.values[step, row]):
            axes.text(
                step + 0.5,
                row + 0.5,
                text,
                color=INK,
                fontsize=7,
                rotation=rotation,
                ha="center",
                va="center",
            )


def _longest(panel: Panel) -> int:
    """Letters of the longest text in a cell."""
    return 0 if panel.texts is None else int(np.char.str_len(panel.texts).max())


def _upright(panel: Panel) -> bool:
    """Whether texts fit into their cells without being turned."""
    return _longest(panel) * LETTER <= STEPS_ROOM / len(panel.values)


def mark_answer(axes: Axes, answer_start: int) -> None:
    """Draw where the answer begins, if there is an input phase before it."""
    if answer_start > 0:
        axes.axvline(answer_start, color=PAPER, linewidth=1.6)
        axes.axvline(answer_start, color=INK, linewidth=1, linestyle=(0, (3, 2)))


def _cross(axes: Axes, crosses: NDArray[np.bool_]) -> None:
    """Crosses on cells, no broader than these and on a pale ground, to be seen on any colour."""
    inches = axes.get_window_extent().width / axes.figure.dpi
    size = float(np.clip(60 * inches / len(crosses), 2.5, 4.5))  # points
    steps, rows = np.nonzero(crosses)
    for colour, width in ((PAPER, 0.6 * size), (INK, 0.3 * size)):
        axes.plot(steps + 0.5, rows + 0.5, "x", color=colour, ms=size, mew=width)


def _upwards(groups: FloatArray) -> FloatArray:
    """``[T, G, K]`` as ``[G * K, T]``, the first group last."""
    steps = groups.shape[0]
    return groups[:, ::-1].reshape(steps, -1).T


def _number_rows(axes: Axes, panel: Panel) -> None:
    """Write numbers or names beside the rows, or the groups' numbers where there are several."""
    _, groups, rows = panel.groups.shape
    axes.tick_params(left=True, labelleft=True, labelrotation=0)
    if _named(panel) and panel.scale != "words":
        axes.tick_params(axis="y", labelsize=8)
    if groups > 1:
        for group in range(1, groups):
            axes.axhline(group * rows, color="0.6", linewidth=1)
        places = [(groups - 1 - group + 0.5) * rows for group in range(groups)]
        labels = [str(group + 1) for group in range(groups)]
    elif panel.rows or panel.names:
        every = -(-rows // (MOST_NAMES if _named(panel) else MOST_TICKS - 1))
        places = [row + 0.5 for row in range(0, rows, every)]
        labels = list(panel.row_names[::every])
    else:
        places, labels = [], []
    axes.yaxis.set_major_locator(FixedLocator(places))
    axes.yaxis.set_major_formatter(FixedFormatter(labels))


def _named(panel: Panel) -> bool:
    """Whether the rows have words for names, which are left out only where they are many."""
    return not all(name.isdigit() for name in panel.row_names)


def _number_steps(axes: Axes, steps: int) -> None:
    """Numbers below the middle of the cells."""
    ticks = MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]).tick_values(0, max(steps - 1, 1))
    inside = [int(tick) for tick in ticks if 0 <= tick < steps]
    axes.tick_params(bottom=True)
    axes.xaxis.set_major_locator(FixedLocator([step + 0.5 for step in inside]))
    axes.xaxis.set_major_formatter(FixedFormatter([str(step) for step in inside]))

"""Lines with bands, a colour for each model, from tables that hold the three values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from ntmbench.plotting.scales import drawable
from ntmbench.plotting.style import PAPER, Look


def draw_bands(
    axes: Axes,
    table: pd.DataFrame,
    x: str,
    band: tuple[str, str, str],
    looks: Mapping[str, Look],
    *,
    step: str | None = None,
    **lines: Any,
) -> None:
    """Draw a line for each label, and the band around it.

    Args:
        axes: where to.
        table: the columns label, ``x`` and those of the ``band``; rows without one are left out.
        x: the column along the x axis.
        band: the columns of its lower end, of the line and of its upper end.
        looks: how each label is drawn; labels without data are left out.
        step: ``post`` for values that hold up to the next one.
        lines: how all lines are drawn, for matplotlib.
    """
    known = table.dropna(subset=list(band)).sort_values(x)
    low, middle, high = band
    for label, look in looks.items():
        of_label = known[known["label"] == label]
        if of_label.empty:
            continue
        axes.fill_between(
            of_label[x],
            drawable(of_label[low]),
            drawable(of_label[high]),
            step=step,  # type: ignore[arg-type]
            color=look.colour,
            alpha=0.15,
            linewidth=0,
        )
        axes.plot(
            of_label[x],
            drawable(of_label[middle]),
            label=label,
            color=look.colour,
            linestyle=(0, look.dashes) if look.dashes else "solid",
            linewidth=look.width,
            drawstyle=f"steps-{step}" if step else "default",
            markeredgecolor=PAPER,
            markeredgewidth=0.75,
            zorder=3,
            **lines,
        )

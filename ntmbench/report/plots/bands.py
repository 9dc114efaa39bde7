"""Lines with bands, a colour for each model, from tables that hold the three values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from ntmbench.plotting.scales import drawable
from ntmbench.plotting.style import Look


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
    known = table.dropna(subset=list(band))
    shown = {label: look for label, look in looks.items() if (known["label"] == label).any()}
    if not shown:
        return
    # The table's own figures: the median of three values in order is the middle one.
    long = known.melt(["label", x], list(band))
    sns.lineplot(
        long.assign(value=drawable(long["value"])),
        x=x,
        y="value",
        estimator="median",
        errorbar=("pi", 100),
        err_kws={"alpha": 0.15, "linewidth": 0, "step": step},
        **by_label(shown),
        drawstyle=f"steps-{step}" if step else "default",
        zorder=3,
        ax=axes,
        **lines,
    )
    legend = axes.get_legend()
    assert legend is not None
    legend.remove()  # one for the whole figure follows


def by_label(looks: Mapping[str, Look]) -> dict[str, Any]:
    """What tells seaborn how the lines of each label look."""
    return {
        **dict.fromkeys(("hue", "style", "size"), "label"),
        **{order: list(looks) for order in ("hue_order", "style_order", "size_order")},
        "palette": {label: look.colour for label, look in looks.items()},
        "dashes": {label: look.dashes for label, look in looks.items()},
        "sizes": {label: look.width for label, look in looks.items()},
    }

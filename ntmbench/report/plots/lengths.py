"""Scores of all models of a task over the test lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ntmbench.plotting.scales import scale_lengths, scale_scores, shade_selection, shade_training
from ntmbench.plotting.style import CHANCE_DASHES, MUTED, OPTIMUM_DASHES, Look, styled
from ntmbench.plotting.wording import axis
from ntmbench.report.plots.bands import draw_bands
from ntmbench.report.plots.panel import finished, panel


@styled
def plot_lengths(
    table: pd.DataFrame,
    column: str,
    looks: Mapping[str, Look],
    trained: tuple[int, int] | None,
    selection: Sequence[int],
    levels: pd.DataFrame,
    *,
    unit: str,
) -> Figure:
    """A score over the test length: median and range over runs, training lengths shaded.

    Beyond them, up to the longest length at which weights are selected, the shade is lighter.

    Args:
        table: the columns label, length and ``<column>_median``, ``_min``, ``_max``.
        column: errors, loss_bits or exact_match.
        looks: how each label is drawn; labels without data are left out.
        trained: the shortest and the longest training length.
        selection: lengths of the validation data at which weights are selected, beside those.
        levels: the columns length, name and value: lines to compare with, over length.
        unit: of the task's answers.
    """
    figure, axes = panel()
    if trained is not None:
        shade_training(axes, trained)
        shade_selection(axes, trained[1], selection)
    for name, line in levels.groupby("name"):
        dashes = OPTIMUM_DASHES if name == "optimum" else CHANCE_DASHES
        axes.plot(line["length"], line["value"], color=MUTED, ls=dashes, lw=1.2, label=str(name))
    low, middle, high = (f"{column}_{part}" for part in ("min", "median", "max"))
    draw_bands(axes, table, "length", (low, middle, high), looks, marker="o")
    if column == "exact_match":
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    else:
        scale_scores(axes, [*table[low], *table[high], *levels["value"]])
    scale_lengths(axes, [int(length) for length in table["length"]])
    axes.set_xlabel("test length")
    return finished(figure, axes, f"{axis(column, unit)}, test")

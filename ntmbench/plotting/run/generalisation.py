"""The picture of a run's scores over the test lengths."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ntmbench.plotting.legend import legend_below
from ntmbench.plotting.scales import drawable, scale_lengths, scale_scores, shade_training
from ntmbench.plotting.style import CHANCE_DASHES, COLOURS, MUTED, PAPER, styled
from ntmbench.plotting.wording import axis


@styled
def plot_generalisation(evaluation: pd.DataFrame, trained: tuple[int, int], *, unit: str) -> Figure:
    """Errors and exact match over test length; columns as in ``evaluation.csv``.

    ``trained`` is the range of training lengths, which is shaded; ``unit`` is that of the task's
    answer. Lengths at which the memory was enlarged have open marks.
    """
    figure = Figure(figsize=(9, 3.3))
    left, right = figure.subplots(1, 2)
    lengths = evaluation["length"]
    slots = evaluation["memory_slots"].fillna(0)
    enlarged = slots > slots.min()
    for axes, column in ((left, "errors"), (right, "exact_match")):
        shade_training(axes, trained)
        scores = drawable(evaluation[column])
        axes.plot(
            lengths,
            scores,
            color=COLOURS[0],
            marker="o",
            markersize=7,
            markeredgecolor=PAPER,
            zorder=3,
        )
        if enlarged.any():
            axes.plot(
                lengths[enlarged],
                scores[enlarged],
                "o",
                color=COLOURS[0],
                markerfacecolor=PAPER,
                markersize=6,
                label=f"memory enlarged, to {slots.max():,} slots at most",
                zorder=4,
            )
        axes.set_xlabel("test length")
        scale_lengths(axes, [int(length) for length in lengths])
    chance = evaluation["chance_errors"]
    left.plot(lengths, chance, color=MUTED, ls=CHANCE_DASHES, lw=1.2, label="chance")
    scale_scores(left, [*evaluation["errors"], *chance])
    left.set_ylabel(axis("errors", unit))
    right.set_ylim(-0.03, 1.03)
    right.yaxis.set_major_formatter(PercentFormatter(1))
    right.set_ylabel(axis("exact_match", unit))
    legend_below(figure, [left, right], columns=4)
    figure.suptitle(
        f"Test data, {evaluation['sequences'].max():,} sequences of each length", x=0.01, ha="left"
    )
    return figure

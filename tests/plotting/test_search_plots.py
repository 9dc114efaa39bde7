"""Pictures of a search: every trial is seen, and the ones to look for stand out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ntmbench.data.ranges import Choice, LogRange, Range, Searched
from ntmbench.plotting.search import BREADTH, plot_importance, plot_slices

SPACE: dict[str, Searched] = {
    "model.layers": Range(1, 3),
    "train.learning_rate": LogRange(1e-4, 1e-1),
    "train.weight_average": Choice((0.99, 0.0)),
}


def trials() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "trial": range(6),
            "state": ["finished"] * 4 + ["pruned", "failed"],
            "today": [True, *[False] * 5],
            "score": [5.0, 4.0, 4.0, math.inf, math.nan, math.nan],
            "last_validation": [5.0, 4.0, 4.0, 9.0, 8.0, 9.0],
        }
    )
    values = {"model.layers": 2, "train.learning_rate": 1e-2, "train.weight_average": 0.99}
    return table.assign(**values)


def test_trials_of_one_value_lie_side_by_side() -> None:
    figure = plot_slices(trials(), SPACE, "wrong bits", best=1)
    layers, _, averages = figure.axes
    for axes, value in ((layers, 2), (averages, 1)):
        places = np.concatenate([drawn.get_offsets() for drawn in axes.collections])[:, 0]
        assert len(set(places)) == 5  # the failed one has no score
        assert (abs(places - value) <= BREADTH / 2).all()
    assert [tick.get_text() for tick in averages.get_xticklabels()] == ["0", "0.99"]


def test_ranges_are_shown_whole() -> None:
    _, rates, _ = plot_slices(trials(), SPACE, "wrong bits", best=1).axes
    low, high = rates.get_xlim()
    assert low < 1e-4 < 1e-1 < high


def test_the_legend_tells_every_kind_of_trial_and_no_other() -> None:
    def told(table: pd.DataFrame) -> set[str]:
        (legend,) = plot_slices(table, SPACE, "wrong bits", best=1).legends
        return {text.get_text() for text in legend.get_texts()}

    whole = {"finished", "today's values", "best"}
    assert told(trials().iloc[:3]) == whole
    more = {"finished, score not finite", "pruned, at the last validation"}
    assert told(trials()) == whole | more


def test_a_share_that_is_rounded_away_is_told() -> None:
    (axes,) = plot_importance(pd.Series({"train.momentum": 0.95, "model.layers": 0.004})).axes
    assert [text.get_text() for text in axes.texts] == ["95%", "< 1%"]

"""The report's pictures show the figures of its tables."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from ntmbench.plotting.style import COLOURS, looks
from ntmbench.report.plots.curves import plot_curves
from ntmbench.report.plots.lengths import plot_lengths
from ntmbench.report.plots.positions import MOST_POINTS, plot_positions
from ntmbench.report.plots.seeds import plot_seeds
from ntmbench.report.plots.survival import plot_survival
from ntmbench.statistics.survival import kaplan_meier
from tests.fabricated import curve

LOOKS = looks(["ntm", "lstm", "absent"])
INF = math.inf


def line(axes: Axes, label: str) -> tuple[list[float], list[float]]:
    """What is drawn in a model's colour and width."""
    look = LOOKS[label]
    (found,) = (
        line
        for line in axes.lines
        if (line.get_color(), line.get_linewidth()) == (look.colour, look.width)
        and np.size(line.get_xdata())
    )
    return np.asarray(found.get_xdata()).tolist(), np.asarray(found.get_ydata()).tolist()


def band(axes: Axes, place: int) -> set[tuple[float, float]]:
    """The corners of the band that was drawn at a place among the others."""
    (path,) = axes.collections[place].get_paths()
    return {(float(x), float(y)) for x, y in np.asarray(path.vertices)}


def legend(figure: Figure) -> list[str]:
    (found,) = figure.legends
    return [text.get_text() for text in found.get_texts()]


def test_a_learning_curve_is_the_tables_median_and_band() -> None:
    bands = pd.DataFrame(
        {"label": "ntm", "sequences": [0, 1000], "low": [3, 1], "median": [7, 2], "high": [9, 4]}
    )
    runs = pd.concat([curve([bits, bits]).assign(label="ntm", run=str(bits)) for bits in (3, 9)])
    figure = plot_curves(runs, bands, "errors", LOOKS, unit="bit")
    (axes,) = figure.axes
    assert line(axes, "ntm") == ([0, 1000], [7, 2])
    assert band(axes, 0) == {(0, 3), (0, 9), (1000, 1), (1000, 4)}
    thin = [np.asarray(run.get_ydata()).tolist() for run in axes.lines if run.get_linewidth() < 1]
    assert thin == [[3, 3], [9, 9]]
    assert legend(figure) == ["ntm"]


@pytest.mark.parametrize("lost", [INF, math.nan])
def test_a_run_that_diverged_does_not_scale_the_learning_curves(lost: float) -> None:
    runs = pd.concat(
        [
            curve([50, 40, 30]).assign(label="ntm", run="a"),
            curve([50, 40, lost]).assign(label="ntm", run="b"),
        ]
    )
    low, high = pd.Series([50, 40, 30]), pd.Series([50, 40, INF])
    bands = curve([50, 40, 30]).assign(label="ntm", low=low, median=high, high=high)
    (axes,) = plot_curves(runs, bands, "errors", LOOKS, unit="bit").axes
    assert axes.get_ylim() == (28, 52)
    assert line(axes, "ntm")[1][2] > 52  # it leaves the picture


def test_survival_falls_in_steps() -> None:
    table = kaplan_meier([1000, 2000, 3000], [True, True, False]).assign(label="lstm")
    figure = plot_survival(table, LOOKS)
    (axes,) = figure.axes
    assert line(axes, "lstm") == ([0, 1000, 2000, 3000], table["survival"].to_list())
    assert {drawn.get_drawstyle() for drawn in axes.lines if np.size(drawn.get_xdata())} == {
        "steps-post"
    }
    (strokes,) = (part for part in axes.collections if isinstance(part, PathCollection))
    assert np.asarray(strokes.get_offsets()).tolist() == [[3000, pytest.approx(1 / 3)]]


def test_scores_over_length_are_drawn_up_to_what_is_infinite() -> None:
    table = pd.DataFrame(
        {
            "label": "ntm",
            "length": [10, 20],
            "errors_min": [0, 2],
            "errors_median": [1, 4],
            "errors_max": [3, INF],
        }
    )
    levels = pd.DataFrame({"length": [10, 20], "name": "chance", "value": [40.0, 80.0]})
    figure = plot_lengths(table, "errors", LOOKS, (1, 20), (), levels, unit="bit")
    (axes,) = figure.axes
    assert line(axes, "ntm") == ([10, 20], [1, 4])
    assert axes.get_ylim()[1] == 160  # twice the highest, on a logarithmic axis
    assert legend(figure) == ["training lengths", "chance", "ntm"]


def test_many_steps_of_an_answer_are_drawn_as_means() -> None:
    count = 3 * MOST_POINTS
    wrong = np.arange(count) % 3
    table = pd.DataFrame({"label": "ntm", "position": np.arange(count)})
    table = table.assign(low=wrong, median=wrong, high=wrong)
    (axes,) = plot_positions(table, 300, LOOKS, math.nan, unit="bit").axes
    steps, means = line(axes, "ntm")
    assert steps == [2 + 3 * place for place in range(MOST_POINTS)]
    assert means == [1] * MOST_POINTS
    assert axes.get_xlabel() == "step of the answer (each point the mean of 3 steps)"
    (axes,) = plot_positions(table.head(5), 5, LOOKS, 2.0, unit="bit").axes
    assert line(axes, "ntm") == ([1, 2, 3, 4, 5], [0, 1, 2, 0, 1])
    assert axes.get_xlabel() == "step of the answer"


def test_every_run_has_a_point() -> None:
    runs = pd.DataFrame(
        {
            "label": ["ntm", "ntm", "ntm", "lstm", "lstm", "lstm"],
            "seed": [0, 1, 2, 0, 1, 2],
            "errors": [0, 2, 5, 40, INF, math.nan],
        }
    )
    figure = plot_seeds(runs, "errors", LOOKS, 20, unit="bit")
    (axes,) = figure.axes
    points = [
        point
        for part in axes.collections
        if isinstance(part, PathCollection)
        for point in np.asarray(part.get_offsets()).tolist()
    ]
    top = axes.get_ylim()[1]
    assert top == 80
    assert sorted(y for _, y in points) == pytest.approx([0, 2, 5, 40, top])
    places = {round(x, 3) for x, _ in points}
    assert places == {-0.15, 0, 0.15, 0.85, 1}  # seed by seed, model by model
    assert legend(figure) == ["ntm", "lstm"]


def test_more_models_than_colours_are_told_apart_by_numbers() -> None:
    names = [f"model {letter}" for letter in "abcdefgh"]
    assert len(names) == len(COLOURS) + 1
    runs = pd.DataFrame({"label": names, "seed": 0, "errors": range(len(names))})
    figure = plot_seeds(runs, "errors", looks(names), 20, unit="bit")
    (axes,) = figure.axes
    assert legend(figure) == [f"{place}: {name}" for place, name in enumerate(names, 1)]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list("12345678")
    assert list(axes.get_xticks()) == list(range(8))


def test_pictures_of_points_do_not_depend_on_chance() -> None:
    runs = pd.DataFrame({"label": "ntm", "seed": range(5), "errors": [1, 2, 3, 3, 9]})
    first, second = (
        [
            np.asarray(part.get_offsets()).tolist()
            for part in plot_seeds(runs, "errors", LOOKS, 20, unit="bit").axes[0].collections
        ]
        for _ in range(2)
    )
    assert first == second

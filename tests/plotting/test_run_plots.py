"""Pictures of a single run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from ntmbench.data.literature import paper_results
from ntmbench.evaluation.example import answer_example
from ntmbench.evaluation.levels import validation_levels
from ntmbench.evaluation.look.looking import look_into
from ntmbench.plotting.example import read_example
from ntmbench.plotting.guides import chance_level, paper_moments
from ntmbench.plotting.run.curve import plot_learning_curve
from ntmbench.plotting.run.generalisation import plot_generalisation
from ntmbench.plotting.run.look import AGAINST, plot_look
from ntmbench.plotting.run.memory import plot_memory
from ntmbench.plotting.style import looks, png
from ntmbench.registry import make_model, make_task
from ntmbench.report.plots.curves import plot_curves
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.pictures import curve_levels, plot_run
from ntmbench.task import Task
from tests.fabricated import curve, fabricate, grid

PNG = b"\x89PNG\r\n\x1a\n"


def names(paths: list[Path]) -> list[str]:
    """File names, of pictures that are there and are PNG."""
    assert all(path.read_bytes().startswith(PNG) for path in paths)
    return [path.name for path in paths]


def learning_curve(task: Task, metrics: pd.DataFrame) -> Figure:
    """The picture as ``plot_run`` draws it."""
    paper = paper_results(task)
    levels = curve_levels(validation_levels(task, 64), paper)
    return plot_learning_curve(metrics, levels, paper_moments(paper), unit="bit")


def test_a_run_with_a_memory_has_four_pictures(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={4: 0, 8: 3}, example=0.1)
    written = plot_run(folder, make_task("copy"))
    assert names(written) == [
        "learning_curve.png",
        "generalisation.png",
        "example.png",
        "memory.png",
    ]
    assert all(path.parent == folder.plots for path in written)


@pytest.mark.parametrize(("model", "panels"), [("ntm", 3 + 2), ("lstm", 3)])
def test_a_look_shows_errors_and_heads(model: str, panels: int) -> None:
    task = make_task("sorting", bits=3, max_length=4)
    settings: dict[str, Any] = {"engine": "eager", "memory_slots": 8} if model == "ntm" else {}
    made = make_model(model, task.input_width, task.output_width, **settings)
    look = look_into(made, task, sequences=40)
    figure = plot_look(look.errors, look.heads, look.places, "sorting", unit="bit")
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == panels
    assert [axes.get_xlabel() for axes in shown][:3] == list(AGAINST.values())
    assert all(axes.get_ylabel() == "wrong bits of an answer" for axes in shown[:3])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["length 4", "length 5"]
    assert png(figure).startswith(PNG)


def test_a_run_of_symbols_names_symbols(tmp_path: Path) -> None:
    task = make_task("key_value")
    folder = fabricate(tmp_path, "key_value", tested={8: 3, 16: 9}, example=0.3)
    assert len(plot_run(folder, task)) == 4
    _, example, memory = read_example(folder.example)
    assert example.verdict.endswith("of 4 symbols wrong")
    shown = {axes.get_ylabel() for axes in plot_memory(example, memory, "").axes}
    assert {"channel", "symbol", "slot"} <= shown
    left, right = plot_generalisation(
        pd.read_csv(folder.evaluation), task.length_range, unit=task.answer.unit
    ).axes
    assert left.get_ylabel() == "wrong symbols per sequence"
    assert right.get_ylabel() == "sequences without a wrong symbol"


@pytest.mark.parametrize(
    "task_name", ["repeat_copy", "recall", "ngrams", "sorting", "priority_sort"]
)
def test_every_task_can_be_drawn(tmp_path: Path, task_name: str) -> None:
    task = make_task(task_name)
    tested = {task.length_range[1]: 1.5}
    folder = fabricate(tmp_path, task_name, "lstm", tested=tested, example=0.1)
    drawn = ["learning_curve.png", "generalisation.png", "example.png"]
    assert names(plot_run(folder, task, paper_results(task))) == drawn


def test_several_heads_are_drawn(tmp_path: Path) -> None:
    task = make_task("copy", max_length=3)
    folder = fabricate(tmp_path, task_settings={"max_length": 3})
    heads = {"read_heads": 3, "write_heads": 2}
    model = make_model("ntm", task.input_width, task.output_width, memory_slots=8, **heads)
    folder.write_arrays(folder.example, answer_example(model, task))
    assert "memory.png" in names(plot_run(folder, task))


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    assert plot_run(folder, make_task("copy")) == []


def test_an_example_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    np.savez(folder.example, length=3)
    with pytest.raises(ValueError, match=r"example.npz does not hold an example: .*inputs"):
        plot_run(folder, make_task("copy"))


def test_a_run_that_lost_its_numbers_can_be_drawn(tmp_path: Path) -> None:
    lost = float("nan")
    folder = fabricate(tmp_path, model="lstm", errors=[lost] * 3, tested={3: lost}, example=0.0)
    with np.load(folder.example) as file:
        arrays = dict(file)
    np.savez(folder.example, **arrays | {"probabilities": arrays["probabilities"] * lost})
    assert len(plot_run(folder, make_task("copy"))) == 3


@pytest.mark.slow
def test_pictures_are_the_same_each_time(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={3: 0}, example=0.2)
    first, second = (
        [path.read_bytes() for path in plot_run(folder, make_task("copy"))] for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("lost", [float("inf"), float("nan")])
def test_what_diverged_leaves_the_picture_and_does_not_scale_it(lost: float) -> None:
    task = make_task("copy")
    whole, with_infinity = (learning_curve(task, curve([80, bits, 0])) for bits in (70, lost))
    for axes, reference in zip(with_infinity.axes, whole.axes, strict=True):
        assert axes.get_ylim() == reference.get_ylim()
    (line,) = (line for line in with_infinity.axes[0].lines if np.size(line.get_ydata()) == 3)
    assert np.asarray(line.get_ydata())[1] > with_infinity.axes[0].get_ylim()[1]
    ends = [
        plot_generalisation(grid({10: 0, 20: bits}), (1, 20), unit="bit").axes[0].get_ylim()
        for bits in (lost, 80)
    ]
    assert ends[0] == ends[1]


def labels(figure: Figure) -> set[str]:
    """What the figure's lines are called."""
    return {label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]}


def test_the_learning_curve_names_what_it_compares_with() -> None:
    task = make_task("copy")
    figure = learning_curve(task, curve([80, 1, 0]))
    assert labels(figure) == {
        "chance",
        "solved: under 0.1",
        "paper's LSTM",
        "paper's NTM: near zero by 100k →",
    }
    assert {axes.get_xlabel() for axes in figure.axes} == {"training sequences"}
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "wrong bits per sequence",
        "loss bits per sequence",
    ]


@pytest.mark.parametrize(("budget", "within"), [(29, False), (30, True), (60, True)])
def test_when_the_papers_ntm_is_near_zero_is_shown(budget: int, within: bool) -> None:
    """At its place on the axis, or by an arrowhead at the axis' end where it is beyond."""
    task = make_task("recall")
    loss = learning_curve(task, curve([30] * (budget + 1))).axes[1]
    (line,) = (line for line in loss.lines if "paper's NTM" in str(line.get_label()))
    x = np.asarray(line.get_xdata()).tolist()
    if within:
        assert line.get_label() == "paper's NTM: near zero by 30k"
        assert x == [30_000, 30_000]
    else:
        assert line.get_label() == "paper's NTM: near zero by 30k →"
        assert (x, line.get_transform()) == ([1], loss.transAxes)


@pytest.mark.parametrize("characters", [20, 24, 25, 26, 28, 31, 34, 46, 90])
def test_no_label_of_a_legend_is_cut_off(characters: int) -> None:
    names = [f"{place:0{characters}}" for place in range(5)]
    curves = pd.concat([curve([80, 0]).assign(label=name, run=name) for name in names])
    bands = curves.assign(low=0, median=0, high=0)
    figure = plot_curves(curves, bands, "errors", looks(names), [chance_level(80)], unit="bit")
    png(figure)  # lays it out
    (legend,) = figure.legends
    box, page = legend.get_window_extent(), figure.bbox
    assert page.x0 <= box.x0 <= box.x1 <= page.x1
    assert page.y0 <= box.y0 <= box.y1 <= page.y1
    # It lies below the axes and their labels.
    axes = figure.axes[0].get_tightbbox()
    assert axes is not None
    assert box.y1 <= axes.y0


def test_ngrams_is_compared_with_its_optimum_and_not_called_solved() -> None:
    task = make_task("ngrams")
    levels = validation_levels(task, 64)
    figure = learning_curve(task, curve([97, 60]))
    assert labels(figure) == {"chance", "optimum", "paper's NTM", "paper's LSTM"}
    loss = figure.axes[1]
    lines = {line.get_label(): np.asarray(line.get_ydata())[0] for line in loss.lines}
    assert lines["optimum"] == pytest.approx(levels.optimum.loss_bits)
    assert lines["paper's NTM"] == pytest.approx(levels.optimum.loss_bits + 1)


def test_an_enlarged_memory_is_told() -> None:
    table = grid({10: 0, 20: 0, 1000: 5})
    table["memory_slots"] = [128, 128, 1024]
    assert "memory enlarged, to 1,024 slots at most" in labels(
        plot_generalisation(table, (1, 20), unit="bit")
    )
    table["memory_slots"] = None
    assert labels(plot_generalisation(table, (1, 20), unit="bit")) == {"training lengths", "chance"}


def test_many_labels_have_looks_of_their_own() -> None:
    many = looks([str(number) for number in range(28)])
    assert len({(look.colour, look.dashes) for look in many.values()}) == 28
    assert len(looks([str(number) for number in range(100)])) == 100


@pytest.mark.slow
def test_a_default_run_is_drawn_quickly(tmp_path: Path) -> None:
    task = make_task("copy")
    folder = fabricate(tmp_path, tested={10: 0, 20: 0, 120: 9}, example=0.1)
    plot_run(folder, task)  # imports, fonts
    started = time.process_time()
    plot_run(folder, task)
    assert time.process_time() - started < 5  # takes about one second

"""Pictures of a single run."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ntmbench.evaluation.levels import validation_levels
from ntmbench.model import SequenceModel
from ntmbench.plotting.guides import chance_level
from ntmbench.plotting.heatmaps import used_slots
from ntmbench.plotting.style import looks, png
from ntmbench.registry import make_model, make_task
from ntmbench.report.plots import plot_curves
from ntmbench.report.reference import paper_results
from ntmbench.runs.folder import RunFolder
from ntmbench.task import Task
from tests.fabricated import curve, fabricate, grid

PNG = b"\x89PNG\r\n\x1a\n"


def model_for(task: Task, name: str = "lstm") -> SequenceModel:
    """A small untrained model."""
    settings = {"hidden_size": 8} if name != "ntm" else {"controller_size": 8, "memory_slots": 16}
    return make_model(name, task.input_width, task.output_width, **settings)


def names(paths: list[Path]) -> list[str]:
    """File names, of pictures that are there and are PNG."""
    assert all(path.read_bytes().startswith(PNG) for path in paths)
    return [path.name for path in paths]


def test_a_run_with_a_memory_has_four_pictures(tmp_path: Path) -> None:
    task = make_task("copy", max_length=4)
    folder = fabricate(tmp_path, tested={4: 0, 8: 3}, task_settings={"max_length": 4})
    model = model_for(task, "ntm")
    written = plot_run(folder, task, model)
    assert names(written) == [
        "learning_curve.png",
        "generalisation.png",
        "example.png",
        "memory.png",
    ]
    assert all(path.parent == folder.plots for path in written)
    assert model.training  # as it was
    assert model.memory_slots == 16


@pytest.mark.parametrize(
    "task_name", ["repeat_copy", "recall", "ngrams", "sorting", "priority_sort"]
)
def test_every_task_can_be_drawn(tmp_path: Path, task_name: str) -> None:
    task = make_task(task_name)
    folder = fabricate(tmp_path, task_name, "lstm", tested={task.length_range[1]: 1.5})
    written = plot_run(folder, task, model_for(task))
    assert names(written) == ["learning_curve.png", "generalisation.png", "example.png"]


def test_several_heads_are_drawn(tmp_path: Path) -> None:
    task = make_task("copy", max_length=3)
    folder = fabricate(tmp_path, task_settings={"max_length": 3})
    model = make_model(
        "ntm", task.input_width, task.output_width, memory_slots=8, read_heads=3, write_heads=2
    )
    assert "memory.png" in names(plot_run(folder, task, model))


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    task = make_task("copy", max_length=3)
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    assert names(plot_run(folder, task, model_for(task))) == ["example.png"]


def test_a_run_that_lost_its_numbers_can_be_drawn(tmp_path: Path) -> None:
    class Lost(SequenceModel):
        def forward(self, inputs: Tensor) -> Tensor:
            return torch.full((*inputs.shape[:2], 8), torch.nan)

    task = make_task("copy", max_length=3)
    folder = fabricate(tmp_path, task_settings={"max_length": 3}, tested={3: float("nan")})
    folder.write_table(folder.metrics, curve([float("nan")] * 3))
    assert len(plot_run(folder, task, Lost())) == 3


def test_pictures_are_the_same_each_time(tmp_path: Path) -> None:
    task = make_task("copy", max_length=3)
    folder = fabricate(tmp_path, task_settings={"max_length": 3}, tested={3: 0})
    first = [path.read_bytes() for path in plot_run(folder, task, model_for(task))]
    assert first == [path.read_bytes() for path in plot_run(folder, task, model_for(task))]


def labels(figure: Figure) -> set[str]:
    """What the figure's lines are called."""
    return {label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]}


def test_the_learning_curve_names_what_it_compares_with() -> None:
    task = make_task("copy")
    figure = plot_learning_curve(
        curve([80, 1, 0]), validation_levels(task, 64), paper_results(task)
    )
    assert labels(figure) == {
        "chance",
        "solved: under 0.1",
        "paper's LSTM",
        "paper's NTM: near zero by 100k →",
    }
    assert {axes.get_xlabel() for axes in figure.axes} == {"training sequences"}
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "wrong bits per sequence (validation)",
        "loss, bits per sequence (validation)",
    ]


@pytest.mark.parametrize(("budget", "within"), [(29, False), (30, True), (60, True)])
def test_when_the_papers_ntm_is_near_zero_is_shown(budget: int, within: bool) -> None:
    """At its place on the axis, or by an arrowhead at the axis' end where it is beyond."""
    task = make_task("recall")
    table = curve([30] * (budget + 1))
    figure = plot_learning_curve(table, validation_levels(task, 64), paper_results(task))
    loss = figure.axes[1]
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
    figure = plot_curves(curves, bands, "errors", looks(names), [chance_level(80)])
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
    figure = plot_learning_curve(curve([97, 60]), levels, paper_results(task))
    assert labels(figure) == {"chance", "optimum", "paper's NTM", "paper's LSTM"}
    loss = figure.axes[1]
    lines = {line.get_label(): np.asarray(line.get_ydata())[0] for line in loss.lines}
    assert lines["optimum"] == pytest.approx(levels.optimum.loss_bits)
    assert lines["paper's NTM"] == pytest.approx(levels.optimum.loss_bits + 1)


def test_an_enlarged_memory_is_told() -> None:
    table = grid({10: 0, 20: 0, 1000: 5})
    table["memory_slots"] = [128, 128, 1024]
    assert "memory enlarged, to 1,024 slots at most" in labels(plot_generalisation(table, (1, 20)))
    table["memory_slots"] = None
    assert labels(plot_generalisation(table, (1, 20))) == {"training lengths", "chance"}


def test_the_example_marks_errors_and_counts_them() -> None:
    task = make_task("copy", bits=2, max_length=3)
    batch = task.test_set(3, 1)
    probability = batch.targets[:, 0].copy()
    probability[4, 1] = 1 - probability[4, 1]  # the first step of the answer
    probability[0, 0] = 0.9  # not scored
    figure = plot_example(batch, probability, "copy")
    assert figure.get_suptitle() == "copy: 1 of 6 bits wrong"
    crosses = figure.axes[3].lines[-1].get_xydata()
    assert np.asarray(crosses).tolist() == [[4, 1]]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ([3, 4], [2, 3, 4, 5]),
        ([0, 7], [6, 7, 0, 1]),  # round the end of the memory
        ([0, 2, 4, 6], list(range(8))),
        ([5], [4, 5, 6]),
        ([], list(range(8))),
    ],
)
def test_used_slots_are_shown_in_one_piece(used: list[int], expected: list[int]) -> None:
    weightings = np.zeros((2, 1, 8))
    weightings[1, 0, used] = 0.5
    assert used_slots(weightings).tolist() == expected


def test_many_labels_have_looks_of_their_own() -> None:
    many = looks([str(number) for number in range(28)])
    assert len({(look.colour, look.dashes) for look in many.values()}) == 28
    assert len(looks([str(number) for number in range(100)])) == 100


def test_a_default_run_is_drawn_quickly(tmp_path: Path) -> None:
    task = make_task("copy")
    model = make_model("ntm", task.input_width, task.output_width)
    folder = fabricate(tmp_path, tested={10: 0, 20: 0, 120: 9})
    plot_run(folder, task, model)  # imports, fonts
    started = time.process_time()
    plot_run(folder, task, model)
    assert time.process_time() - started < 5  # takes about one second

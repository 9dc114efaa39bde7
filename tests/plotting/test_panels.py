"""Answers of every kind and memories of any model, as panels and as pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ntmbench.plotting.example import (
    Example,
    answer_panel,
    input_panels,
    make_example,
    read_example,
)
from ntmbench.plotting.panels import Panel, pack_panels, unpack_panels, used_rows, without_unused
from ntmbench.plotting.run.example import plot_example
from ntmbench.plotting.run.memory import plot_memory
from ntmbench.plotting.sheet import draw_panels
from ntmbench.plotting.style import png
from ntmbench.registry import make_task
from ntmbench.runs.pictures import plot_run
from tests.fabricated import fabricate, stack_panels

STEPS, SYMBOLS = 12, 5
SCORED = np.arange(STEPS) >= 6


def one_hot(symbols: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(SYMBOLS, dtype=np.float32)[symbols]


def symbol_example(wrong: int) -> Example:
    """Symbols 0 to 4 in turn, of which the first ``wrong`` scored ones are answered by the next."""
    symbols = np.arange(STEPS) % SYMBOLS
    off = SCORED & (np.cumsum(SCORED) <= wrong)
    answers = 0.8 * one_hot((symbols + off) % SYMBOLS) + 0.04
    return make_example(one_hot(symbols), one_hot(symbols), answers, SCORED, kind="symbols")


def real_example(off: float) -> Example:
    """A wave, of which one scored number is ``off`` by so much where a tenth is allowed."""
    targets = np.sin(np.arange(STEPS))[:, np.newaxis].astype(np.float32)
    answers = targets.copy()
    answers[7] += off
    return make_example(targets, targets, answers, SCORED, kind="reals", tolerance=0.1)


def axes_of(figure: Figure, title: str) -> Axes:
    """The panel with a title on its left or above it."""
    (axes,) = (
        axes
        for axes in figure.axes
        if axes.get_title(loc="left") == title
        or any(text.get_text().split("\n")[0] == title for text in axes.texts)
    )
    return axes


def crosses(axes: Axes) -> list[list[float]]:
    """Steps and rows that are crossed."""
    marks = [line for line in axes.lines if line.get_marker() == "x"]
    return [[x - 0.5, y - 0.5] for x, y in np.asarray(marks[-1].get_xydata())]


def words_in(axes: Axes) -> list[str]:
    """What is written into the cells, without the label on the left."""
    return [text.get_text() for text in axes.texts if text.get_transform() == axes.transData]


def test_errors_are_counted_and_crossed_where_they_are_scored() -> None:
    batch = make_task("copy", bits=2, max_length=3).test_set(3, 1)
    targets = batch.targets[:, 0]
    answers = targets.copy()
    answers[4, 1] = 1 - answers[4, 1]  # the first step of the answer
    answers[0, 0] = 0.9  # not scored
    figure = plot_example(
        make_example(batch.inputs[:, 0], targets, answers, batch.mask[:, 0] > 0), "copy"
    )
    assert figure.get_suptitle() == "copy: 1 of 6 bits wrong"
    assert crosses(axes_of(figure, "|error|")) == [[4, 1]]


def test_a_wrong_symbol_is_crossed_where_it_was_answered() -> None:
    example = symbol_example(wrong=2)
    figure = plot_example(example, "key_value")
    assert figure.get_suptitle() == "key_value: 2 of 6 symbols wrong"
    assert crosses(axes_of(figure, "output")) == [[6, 2], [7, 3]]
    shown, answered = axes_of(figure, "input"), axes_of(figure, "answer")
    assert words_in(shown) == ["0", "1", "2", "3", "4", "0", "1", "2", "3", "4", "0", "1"]
    assert words_in(answered) == ["2", "3", "3", "4", "0", "1", "1", "2", "3", "4", "0", "1"]
    (cells,) = (mesh.get_array() for mesh in answered.collections)
    assert cells is not None
    assert np.ma.getdata(cells).reshape(2, STEPS)[:, 6:].tolist() == [[1, 1, 0, 0, 0, 0], [0] * 6]


def test_names_of_symbols_are_written_as_words() -> None:
    example = replace(
        symbol_example(0),
        input_names=("mary", "john", "is", "in", "where"),
        output_names=("kitchen", "garden", "hall", "office", "refrigerator"),
    )
    figure = plot_example(example, "stories")
    assert words_in(axes_of(figure, "input"))[:3] == ["mary", "john", "is"]
    assert words_in(axes_of(figure, "answer"))[:2] == ["garden", "hall"]
    png(figure)  # lays it out
    turned = axes_of(figure, "answer").texts[0]
    assert turned.get_window_extent().height > turned.get_window_extent().width


def repeated(one: Example, times: int, inputs: NDArray[Any] | None = None) -> Example:
    """A longer example of symbols, perhaps with another input."""
    shown = one.inputs if inputs is None else inputs
    inputs, targets, answers = (
        np.tile(values, (times, 1)) for values in (shown, one.targets, one.answers)
    )
    return make_example(inputs, targets, answers, np.tile(one.scored, times), kind="symbols")


def test_words_that_have_no_room_on_a_line_are_wrapped() -> None:
    long = repeated(symbol_example(1), times=20)
    figure = plot_example(long, "key_value")
    lines = [axes.texts[-1].get_text() for axes in figure.axes]
    assert lines[:4] == ["input from 0", "answer from 0", "input from 48", "answer from 48"]
    shown = [word for axes in figure.axes[::2] for word in words_in(axes)]
    assert shown == [str(step % STEPS % SYMBOLS) for step in range(20 * STEPS)]
    cells = [mesh.get_array() for axes in figure.axes for mesh in axes.collections]
    red = sum(float(np.nansum(np.ma.getdata(of))) for of in cells if of is not None)
    assert red == 20  # one of every STEPS
    assert figure.axes[-1].get_xlabel().startswith("step of the line")


def test_a_line_that_is_not_full_ends_in_nothing() -> None:
    long = repeated(symbol_example(0), times=9)  # 108 steps on three lines
    last = np.arange(107) >= 106
    words = make_example(
        long.inputs[:-1], long.targets[:-1], long.answers[:-1], last, kind="symbols"
    )
    figure = plot_example(words, "stories")
    assert [axes.texts[-1].get_text() for axes in figure.axes] == [
        *("input from 0", "input from 36", "input from 72", "answer from 72"),
    ]
    assert words_in(figure.axes[2])[-2:] == ["0", ""]
    assert words_in(figure.axes[3])[-4:] == ["0", "", "0", ""]  # the output, and the target above


@pytest.mark.parametrize(("times", "answered", "words"), [(1, "answer", 12), (20, "target", 0)])
def test_an_input_of_many_channels_is_a_heat_map(times: int, answered: str, words: int) -> None:
    """Words tell the answer, as far as its steps have room on a line."""
    pattern = np.ones((STEPS, 4), np.float32)
    figure = plot_example(repeated(symbol_example(1), times, pattern), "one_shot")
    assert words_in(axes_of(figure, "input")) == []
    assert len(words_in(axes_of(figure, answered))) == words
    assert len(crosses(axes_of(figure, "output"))) == times


@pytest.mark.parametrize(("off", "wrong"), [(0.05, 0), (-0.2, 1), (float("nan"), 1)])
def test_a_number_may_be_off_by_the_tolerance(off: float, wrong: int) -> None:
    example = real_example(off)
    assert example.verdict == f"{wrong} of 6 numbers wrong"
    assert png(plot_example(example, "adding")).startswith(b"\x89PNG")


def test_an_unknown_kind_of_answer_is_refused() -> None:
    ones = np.ones((3, 1))
    unknown: Any = "words"
    with pytest.raises(ValueError, match=r"kind='words'\. Allowed: bits, symbols, reals"):
        make_example(ones, ones, ones, np.ones(3, dtype=bool), kind=unknown)


def test_numbers_among_the_input_have_colours_of_their_own() -> None:
    inputs = np.array([[0, 1, 0.5], [1, 0, -2]])
    nothing = np.zeros((2, 1))
    example = make_example(inputs, nothing, nothing, np.ones(2, dtype=bool))
    bits, numbers = input_panels(example)
    assert (bits.names, bits.range) == (("0", "1"), (0, 1))
    assert (numbers.names, numbers.range) == (("2",), (-2, 2))


def test_what_is_not_scored_is_hatched_and_told() -> None:
    figure = plot_example(symbol_example(0), "key_value")
    axes = axes_of(figure, "output")
    assert axes.patch.get_hatch() == "////"
    assert "hatched: not scored" in axes.get_xlabel()
    (cells,) = (mesh.get_array() for mesh in axes.collections)
    assert cells is not None
    assert np.ma.getmaskarray(cells).reshape(SYMBOLS, STEPS)[0].tolist() == (~SCORED).tolist()


@pytest.mark.parametrize(
    ("used", "circular", "expected"),
    [
        ([3, 4], True, [2, 3, 4, 5]),
        ([0, 7], True, [6, 7, 0, 1]),  # round the end of the memory
        ([0, 7], False, list(range(8))),
        ([0, 1], False, [0, 1, 2]),  # a stack has nothing below its ground
        ([0, 2, 4, 6], True, list(range(8))),
        ([5], True, [4, 5, 6]),
        ([], True, list(range(8))),
        ([], False, list(range(8))),
    ],
)
def test_used_rows_are_shown_in_one_piece(
    used: list[int], circular: bool, expected: list[int]
) -> None:
    weights = np.zeros((2, 1, 8))
    weights[1, 0, used] = 0.5
    assert used_rows(weights, circular=circular).tolist() == expected


def test_weights_over_the_same_places_show_the_same_rows() -> None:
    first, second = np.zeros((2, 1, 16)), np.zeros((2, 2, 16))
    first[:, :, 3], second[:, :, 5] = 1, 1
    panels = [Panel(name, "slot", w, "weights") for name, w in (("w", first), ("r", second))]
    shown, notes = without_unused(panels)
    assert {panel.names for panel in shown} == {("2", "3", "4", "5", "6")}
    assert notes == ["5 of 16 slots shown (weight above 0.05)"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scale": "loud"}, "scale='loud'. Allowed: unit, weights, signed, error"),
        ({"values": np.zeros(3)}, r"shape \(3,\). Allowed: \[T, K\]"),
        ({"names": ("a",)}, "1 names for 2 rows"),
        ({"crosses": np.zeros((3, 1), dtype=bool)}, r"marks of shape \(3, 1\)"),
    ],
)
def test_a_panel_that_does_not_fit_together_is_refused(changed: Any, said: str) -> None:
    fields = {"title": "t", "rows": "r", "values": np.zeros((3, 2)), "scale": "unit"}
    with pytest.raises(ValueError, match=said):
        Panel(**fields | changed)


def test_panels_of_a_stack_are_drawn_like_any_memory() -> None:
    figure = plot_memory(symbol_example(1), stack_panels(STEPS), "reverse")
    assert figure.get_suptitle() == "reverse: 7 of 20 depths shown (weight above 0.05)"
    actions = axes_of(figure, "actions")
    assert [text.get_text() for text in actions.get_yticklabels()] == ["push", "pop", "noop"]
    assert axes_of(figure, "strength").get_ylabel() == "depth"
    # The last panel of either column tells the steps.
    assert [axes_of(figure, title).get_xlabel()[:4] for title in ("strength", "top")] == [
        "step"
    ] * 2


def test_panels_are_stored_with_the_example(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, model="lstm", example=0.1)
    with np.load(folder.example) as file:
        arrays: dict[str, Any] = dict(file)
    memory = stack_panels(len(arrays["inputs"]))
    arrays |= pack_panels(memory)
    np.savez(folder.example, **arrays)
    _, _, read = read_example(folder.example)
    for panel, stored in zip(memory, read, strict=True):
        assert (panel.title, panel.rows, panel.scale, panel.names) == (
            *(stored.title, stored.rows, stored.scale, stored.names),
        )
        assert stored.values == pytest.approx(panel.values, abs=1e-3)
    assert "memory.png" in [path.name for path in plot_run(folder, make_task("copy"))]


def test_stored_kinds_of_answers_are_read(tmp_path: Path) -> None:
    example = real_example(0.5)
    np.savez(
        tmp_path / "example.npz",
        length=STEPS,
        inputs=example.inputs,
        targets=example.targets,
        probabilities=example.answers,
        mask=SCORED,
        kind="reals",
        tolerance=0.1,
        input_names=["value"],
        output_names=["sum"],
    )
    _, read, memory = read_example(tmp_path / "example.npz")
    assert (read.kind, read.wrong.sum(), memory) == ("reals", 1, [])
    shown = [*input_panels(read), answer_panel(read)]
    assert [panel.row_names for panel in shown] == [("value",), ("sum",)]


def test_what_pack_panels_did_not_make_is_refused() -> None:
    with pytest.raises(KeyError):
        unpack_panels({"panels": np.array('[{"title": "t"}]')})


@pytest.mark.parametrize("columns", [1, 2])
def test_labels_stay_on_the_sheet(columns: int) -> None:
    title = "a model with a rather long name (and=settings)"
    panels = [Panel(title, "element", np.full((9, 4), -0.09876), "signed")] * 3
    figure = draw_panels(panels, title="sheet", columns=columns)
    png(figure)  # lays it out
    scales = [scale for axes in figure.axes for scale in axes.child_axes]
    for axes in (*figure.axes, *scales):
        box = axes.get_tightbbox()
        assert box is not None
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1

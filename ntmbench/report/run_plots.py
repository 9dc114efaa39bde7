"""Pictures of a single run: its learning curve, its generalisation, an example, its memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    PercentFormatter,
)
from numpy.typing import NDArray
from torch import nn

from ntmbench.evaluation import answer, device_of, enough_memory
from ntmbench.files import write_bytes
from ntmbench.model import SequenceModel, TensorBatch, Trace
from ntmbench.report.levels import DataLevels, validation_levels, validation_size
from ntmbench.report.reference import PaperResult, paper_results
from ntmbench.report.statistics import SOLVED_BELOW
from ntmbench.report.style import (
    COLOURS,
    Level,
    chance_level,
    draw_levels,
    draw_moments,
    legend_below,
    optimum_level,
    paper_levels,
    paper_moments,
    png,
    scale_bits,
    scale_lengths,
    shade_training,
    styled,
    thousands,
)
from ntmbench.runs import RunFolder
from ntmbench.task import Batch, Task

FloatArray = NDArray[np.floating[Any]]

#: A slot is shown if any head ever puts more weight than this on it.
USED_WEIGHT = 0.05

#: Probabilities, and weightings: from 0 to 1.
SEQUENTIAL = "cividis"
#: Numbers of either sign, white at zero.
DIVERGING = "RdBu_r"
#: Errors: white where there is none.
ERROR = "Reds"
#: What is not scored.
NOTHING = "0.9"


def plot_run(folder: RunFolder, task: Task, model: nn.Module) -> list[Path]:
    """Draw a run into ``folder.plots`` from its tables and its selected weights.

    Writes ``learning_curve.png`` and ``generalisation.png`` where the tables are there,
    ``example.png``, and ``memory.png`` for a model with a trace. Returns the files.

    Raises:
        OSError: if a picture can not be written.
    """
    folder.plots.mkdir(parents=True, exist_ok=True)
    written = []

    def save(name: str, figure: Figure) -> None:
        path = folder.plots / f"{name}.png"
        write_bytes(path, png(figure))
        written.append(path)

    metrics, evaluation = _read(folder.metrics), _read(folder.evaluation)
    if len(metrics):
        levels = validation_levels(task, validation_size(folder.read_status().get("settings", {})))
        save("learning_curve", plot_learning_curve(metrics, levels, paper_results(task)))
    if len(evaluation):
        save("generalisation", plot_generalisation(evaluation, task.length_range))
    length = task.length_range[1]
    example = task.test_set(length, 1)
    with enough_memory(model, task, length):
        probability, trace = _run_example(model, example)
    title = f"{task.name}, test sequence of length {length}"
    save("example", plot_example(example, probability, title))
    if trace is not None:
        save("memory", plot_memory(example, probability, trace, title))
    return written


@styled
def plot_learning_curve(
    metrics: pd.DataFrame, levels: DataLevels, paper: tuple[PaperResult, ...] = ()
) -> Figure:
    """Wrong bits and loss on validation data over training; columns as in ``metrics.csv``."""
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    wrong_levels = [chance_level(levels.chance.wrong_bits)]
    loss_levels = [chance_level(levels.chance.loss_bits)]
    if levels.solvable:
        wrong_levels.append(Level(f"solved: under {SOLVED_BELOW}", SOLVED_BELOW, SOLVED_BELOW, ":"))
    else:
        wrong_levels.append(optimum_level(levels.optimum.wrong_bits))
        loss_levels.append(optimum_level(levels.optimum.loss_bits))
    loss_levels.extend(paper_levels(paper, levels.optimum.loss_bits))
    end = max(metrics["sequences"].max(), 1)
    draw_moments(right, paper_moments(paper), end)
    for axes, column, label, of_axes in (
        (left, "wrong_bits", "wrong bits per sequence (validation)", wrong_levels),
        (right, "loss_bits", "loss, bits per sequence (validation)", loss_levels),
    ):
        draw_levels(axes, of_axes)
        axes.plot(metrics["sequences"], metrics[column], color=COLOURS[0], zorder=3)
        values = [*metrics[column], *(level.high for level in of_axes)]
        scale_bits(axes, [value for value in values if np.isfinite(value)])
        axes.set_xlim(0, end)
        axes.set_xlabel("training sequences")
        axes.set_ylabel(label)
        thousands(axes)
    legend_below(figure, [left, right], columns=4)
    figure.suptitle("Validation data, lengths of training", x=0.01, ha="left")
    return figure


@styled
def plot_generalisation(evaluation: pd.DataFrame, trained: tuple[int, int]) -> Figure:
    """Wrong bits and exact match over test length; columns as in ``evaluation.csv``.

    ``trained`` is the range of training lengths, which is shaded. Lengths at which the memory was
    enlarged have open marks.
    """
    figure = Figure(figsize=(9, 3.3))
    left, right = figure.subplots(1, 2)
    slots = evaluation["memory_slots"].fillna(0)
    enlarged = evaluation[slots > slots.min()]
    for axes, column in ((left, "wrong_bits"), (right, "exact_match")):
        shade_training(axes, trained)
        axes.plot(
            evaluation["length"], evaluation[column], "o-", color=COLOURS[0], markersize=6, zorder=3
        )
        if len(enlarged):
            axes.plot(
                enlarged["length"],
                enlarged[column],
                "o",
                color=COLOURS[0],
                markerfacecolor="white",
                markersize=6,
                label=f"memory enlarged, to {slots.max():,} slots at most",
                zorder=4,
            )
        axes.set_xlabel("test length")
        scale_lengths(axes, [int(length) for length in evaluation["length"]])
    chance = evaluation["chance_wrong_bits"]
    left.plot(evaluation["length"], chance, color="0.35", ls=(0, (6, 3)), lw=1.2, label="chance")
    values = [*evaluation["wrong_bits"], *chance]
    scale_bits(left, [value for value in values if np.isfinite(value)])
    left.set_ylabel("wrong bits per sequence")
    right.set_ylim(-0.03, 1.03)
    right.yaxis.set_major_formatter(PercentFormatter(1))
    right.set_ylabel("sequences without a wrong bit")
    legend_below(figure, [left, right], columns=4)
    figure.suptitle(
        f"Test data, {evaluation['sequences'].max():,} sequences of each length", x=0.01, ha="left"
    )
    return figure


@styled
def plot_example(batch: Batch, probability: FloatArray, title: str) -> Figure:
    """One sequence: input, target, the model's probabilities and their error, over its steps.

    ``batch`` holds one sequence, ``probability [T, out]`` is the model's.
    """
    scored = batch.mask[:, 0] > 0  # [T]
    inputs, targets = batch.inputs[:, 0], batch.targets[:, 0]  # [T, in], [T, out]
    wrong = ((probability > 0.5) != (targets > 0.5)) & scored[:, np.newaxis]  # [T, out]
    parts = [
        ("input", inputs, _range_of(inputs)),
        ("target", _where(scored, targets), (SEQUENTIAL, 0.0, 1.0)),
        ("output", _where(scored, probability), (SEQUENTIAL, 0.0, 1.0)),
        ("|error|", _where(scored, np.abs(probability - targets)), (ERROR, 0.0, 1.0)),
    ]
    heights = [_height(values.shape[1]) for _, values, _ in parts]
    figure = Figure(figsize=(9, 1.3 + sum(heights)))
    rows = figure.subplots(len(parts), 1, sharex=True, height_ratios=heights)
    for axes, (name, values, colours) in zip(rows, parts, strict=True):
        _draw(figure, axes, values, colours)
        axes.set_ylabel(f"{name}\n(channel)", rotation=0, ha="right", va="center")
        _mark_answer(axes, batch)
    steps, channels = np.nonzero(wrong)
    rows[3].plot(steps, channels, "x", color="black", markersize=5, markeredgewidth=1.2)
    rows[3].set_xlabel("step (grey: not scored; cross: wrong bit)")
    scored_bits = int(scored.sum()) * targets.shape[1]
    figure.suptitle(f"{title}: {wrong.sum()} of {scored_bits} bits wrong", x=0.01, ha="left")
    return figure


@styled
def plot_memory(batch: Batch, probability: FloatArray, trace: Trace, title: str) -> Figure:
    """How the memory was used, after figure 6 of Graves et al. (2014).

    On the left what goes in: inputs, add vectors and write weightings; on the right what comes
    out: outputs, read vectors and read weightings. Heads lie below one another. Of the slots those
    are shown that any head used; ``batch`` and ``trace`` hold one sequence.
    """
    writes, reads = _of_trace(trace.write_weightings), _of_trace(trace.read_weightings)
    adds, got = _of_trace(trace.adds), _of_trace(trace.reads)
    slots = used_slots(np.concatenate([writes, reads], axis=1))
    inputs = batch.inputs[:, 0]
    outputs = _where(batch.mask[:, 0] > 0, probability)
    figure = Figure()
    heights = [
        _height(max(inputs.shape[1], outputs.shape[1])),
        max(_heads_height(adds), _heads_height(got)),
        max(_heads_height(writes[:, :, slots]), _heads_height(reads[:, :, slots])),
    ]
    figure.set_size_inches(10, 1.5 + sum(heights))
    grid = figure.subplots(3, 2, sharex=True, height_ratios=heights)
    for axes, values, name in ((grid[0, 0], inputs, "input"), (grid[0, 1], outputs, "output")):
        _draw(figure, axes, values, _range_of(values))
        axes.set_title(f"{name}s")
        axes.set_ylabel("channel")
    for axes, vectors, name in ((grid[1, 0], adds, "adds"), (grid[1, 1], got, "reads")):
        largest = max(float(np.abs(vectors).max()), 1e-6)
        rows = np.arange(vectors.shape[2])
        _draw_heads(figure, axes, vectors, (DIVERGING, -largest, largest), rows, "word element")
        axes.set_title(name)
    for axes, weighting, name in ((grid[2, 0], writes, "write"), (grid[2, 1], reads, "read")):
        colours = (SEQUENTIAL, 0.0, 1.0)
        _draw_heads(figure, axes, weighting[:, :, slots], colours, slots, "slot")
        axes.set_title(f"{name} weightings")
        axes.set_xlabel("step")
    for axes in grid.flat:
        _mark_answer(axes, batch)
    shown = f"{len(slots)} of {writes.shape[2]} slots shown (weight above {USED_WEIGHT})"
    figure.suptitle(f"{title}: {shown}", x=0.01, ha="left")
    return figure


def used_slots(weightings: FloatArray, above: float = USED_WEIGHT) -> NDArray[np.int64]:
    """The shortest run of slots that holds all used ones, going round the end of the memory.

    ``weightings [T, heads, N]``. A slot next to either side is added; all slots are returned where
    none is used, or all are.
    """
    count = weightings.shape[2]
    used = np.flatnonzero(weightings.max(axis=(0, 1)) > above)
    if len(used) == 0:
        return np.arange(count)
    # The widest gap between neighbours on the circle is what is left out.
    gaps = np.diff(np.append(used, used[0] + count))
    first = used[(gaps.argmax() + 1) % len(used)]
    width = count - gaps.max() + 1
    if width + 2 >= count:
        return np.arange(count)
    shown: NDArray[np.int64] = np.arange(first - 1, first + width + 1) % count
    return shown


@torch.no_grad()
def _run_example(model: nn.Module, example: Batch) -> tuple[FloatArray, Trace | None]:
    """The probabilities ``[T, out]`` for a batch of one sequence, and the trace of it."""
    batch = TensorBatch.of(example, device_of(model))
    was_training = model.training
    model.eval()
    logits = answer(model, batch)  # [T, 1, out]
    trace = model.trace(batch.inputs) if isinstance(model, SequenceModel) else None
    model.train(was_training)
    return torch.sigmoid(logits[:, 0]).cpu().numpy(), trace


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def _of_trace(tensor: torch.Tensor) -> FloatArray:
    """``[T, 1, heads, width]`` to ``[T, heads, width]``."""
    array: FloatArray = tensor[:, 0].detach().cpu().numpy()
    return array


def _where(scored: NDArray[np.bool_], values: FloatArray) -> FloatArray:
    """``values [T, out]`` with NaN, which is drawn as nothing, at steps that are not scored."""
    return np.where(scored[:, np.newaxis], values, np.nan)


def _range_of(values: FloatArray) -> tuple[str, float, float]:
    """Colours for channels that hold bits, and perhaps numbers of either sign beside them."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low < 0:
        largest = max(-low, high)
        return DIVERGING, -largest, largest
    return SEQUENTIAL, 0.0, max(high, 1.0)


def _height(channels: int) -> float:
    """Inches for a picture of so many channels."""
    return float(np.clip(0.12 * channels, 0.45, 2.5))


def _heads_height(values: FloatArray) -> float:
    """Inches for ``values [T, heads, width]`` with the heads below one another."""
    return float(np.clip(0.07 * values.shape[1] * values.shape[2], 1.2, 4.0))


def _draw(
    figure: Figure, axes: Axes, values: FloatArray, colours: tuple[str, float, float]
) -> None:
    """Draw ``values [T, channels]``: steps to the right, channels upwards."""
    colour_map, low, high = colours
    image = axes.imshow(
        values.T,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        cmap=colour_map,
        vmin=low,
        vmax=high,
    )
    axes.set_facecolor(NOTHING)
    axes.grid(visible=False)
    channels = values.shape[1]
    axes.yaxis.set_major_locator(FixedLocator(range(0, channels, -(-channels // 5))))
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    figure.colorbar(image, ax=axes, ticks=sorted({low, 0.0, high}), pad=0.01, format="%.3g")


def _draw_heads(
    figure: Figure,
    axes: Axes,
    values: FloatArray,
    colours: tuple[str, float, float],
    rows: NDArray[np.int64],
    name: str,
) -> None:
    """Draw ``values [T, heads, width]``, the first head on top.

    The ticks of a single head tell the numbers ``rows`` of what is called ``name``, those of
    several tell the heads.
    """
    steps, heads, width = values.shape
    upwards = values[:, ::-1].reshape(steps, heads * width)
    _draw(figure, axes, upwards, colours)
    if heads == 1:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda place, _: str(rows[int(place)])))
        axes.set_ylabel(name)
        return
    for head in range(1, heads):
        axes.axhline(head * width - 0.5, color="0.6", linewidth=1)
    middles = [(heads - 1 - head) * width + (width - 1) / 2 for head in range(heads)]
    axes.yaxis.set_major_locator(FixedLocator(middles))
    axes.yaxis.set_major_formatter(FixedFormatter([str(head + 1) for head in range(heads)]))
    axes.set_ylabel(f"head ({name}s)")


def _mark_answer(axes: Axes, batch: Batch) -> None:
    """Draw where the answer begins, if there is an input phase before it."""
    if batch.answer_start > 0:
        axes.axvline(batch.answer_start - 0.5, color="black", linewidth=1, linestyle=(0, (3, 2)))

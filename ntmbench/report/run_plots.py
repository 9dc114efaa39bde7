"""Pictures of a single run: its learning curve, its generalisation, an example, its memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from torch import nn

from ntmbench.data.files import write_bytes
from ntmbench.evaluation.answering import answer, device_of, enough_memory
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.report.guides import (
    Level,
    chance_level,
    draw_levels,
    draw_moments,
    optimum_level,
    paper_levels,
    paper_moments,
)
from ntmbench.report.heatmaps import (
    DIVERGING,
    ERROR,
    SEQUENTIAL,
    USED_WEIGHT,
    colours_of,
    draw_heads,
    draw_scaled,
    heads_height,
    mark_answer,
    panel_height,
    used_slots,
    where_scored,
)
from ntmbench.report.legend import legend_below
from ntmbench.report.levels import DataLevels, validation_levels, validation_size
from ntmbench.report.outcomes import SOLVED_BELOW
from ntmbench.report.reference import PaperResult, paper_results
from ntmbench.report.style import (
    COLOURS,
    MUTED,
    png,
    scale_bits,
    scale_lengths,
    shade_training,
    styled,
    thousands,
)
from ntmbench.runs.folder import RunFolder
from ntmbench.task import Batch, Task
from ntmbench.trace import Trace

FloatArray = NDArray[np.floating[Any]]


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
    with enough_memory(model, task.demand(length)):
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
    wrong_levels = [chance_level(levels.chance.errors)]
    loss_levels = [chance_level(levels.chance.loss_bits)]
    if levels.solvable:
        wrong_levels.append(Level(f"solved: under {SOLVED_BELOW}", SOLVED_BELOW, SOLVED_BELOW, ":"))
    else:
        wrong_levels.append(optimum_level(levels.optimum.errors))
        loss_levels.append(optimum_level(levels.optimum.loss_bits))
    loss_levels.extend(paper_levels(paper, levels.optimum.loss_bits))
    end = max(metrics["sequences"].max(), 1)
    draw_moments(right, paper_moments(paper), end)
    for axes, column, label, of_axes in (
        (left, "errors", "wrong bits per sequence (validation)", wrong_levels),
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
    for axes, column in ((left, "errors"), (right, "exact_match")):
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
    chance = evaluation["chance_errors"]
    left.plot(evaluation["length"], chance, color=MUTED, ls=(0, (6, 3)), lw=1.2, label="chance")
    values = [*evaluation["errors"], *chance]
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
        ("input", inputs, colours_of(inputs)),
        ("target", where_scored(scored, targets), (SEQUENTIAL, 0.0, 1.0)),
        ("output", where_scored(scored, probability), (SEQUENTIAL, 0.0, 1.0)),
        ("|error|", where_scored(scored, np.abs(probability - targets)), (ERROR, 0.0, 1.0)),
    ]
    heights = [panel_height(values.shape[1]) for _, values, _ in parts]
    figure = Figure(figsize=(9, 1.3 + sum(heights)))
    rows = figure.subplots(len(parts), 1, sharex=True, height_ratios=heights)
    for axes, (name, values, colours) in zip(rows, parts, strict=True):
        draw_scaled(figure, axes, values, colours)
        axes.set_ylabel(f"{name}\n(channel)", rotation=0, ha="right", va="center")
        mark_answer(axes, batch.answer_start)
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
    writes, reads = _of_trace(trace["write_weightings"]), _of_trace(trace["read_weightings"])
    adds, got = _of_trace(trace["adds"]), _of_trace(trace["reads"])
    slots = used_slots(np.concatenate([writes, reads], axis=1))
    inputs = batch.inputs[:, 0]
    outputs = where_scored(batch.mask[:, 0] > 0, probability)
    figure = Figure()
    heights = [
        panel_height(max(inputs.shape[1], outputs.shape[1])),
        max(heads_height(adds), heads_height(got)),
        max(heads_height(writes[:, :, slots]), heads_height(reads[:, :, slots])),
    ]
    figure.set_size_inches(10, 1.5 + sum(heights))
    grid = figure.subplots(3, 2, sharex=True, height_ratios=heights)
    for axes, values, name in ((grid[0, 0], inputs, "input"), (grid[0, 1], outputs, "output")):
        draw_scaled(figure, axes, values, colours_of(values))
        axes.set_title(f"{name}s")
        axes.set_ylabel("channel")
    for axes, vectors, name in ((grid[1, 0], adds, "adds"), (grid[1, 1], got, "reads")):
        largest = max(float(np.abs(vectors).max()), 1e-6)
        rows = np.arange(vectors.shape[2])
        draw_heads(figure, axes, vectors, (DIVERGING, -largest, largest), rows, "word element")
        axes.set_title(name)
    for axes, weighting, name in ((grid[2, 0], writes, "write"), (grid[2, 1], reads, "read")):
        colours = (SEQUENTIAL, 0.0, 1.0)
        draw_heads(figure, axes, weighting[:, :, slots], colours, slots, "slot")
        axes.set_title(f"{name} weightings")
        axes.set_xlabel("step")
    for axes in grid.flat:
        mark_answer(axes, batch.answer_start)
    shown = f"{len(slots)} of {writes.shape[2]} slots shown (weight above {USED_WEIGHT})"
    figure.suptitle(f"{title}: {shown}", x=0.01, ha="left")
    return figure


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

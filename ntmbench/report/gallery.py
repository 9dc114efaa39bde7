"""One test sequence as each model answered it, and what an NTM did to its memory meanwhile.

All of it is read from the ``example.npz`` that a run leaves; nothing is computed again.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from ntmbench.report.heatmaps import (
    DIVERGING,
    FAULT,
    SEQUENTIAL,
    USED_WEIGHT,
    colours_of,
    draw_heads,
    draw_panel,
    heads_height,
    mark_answer,
    panel_height,
    used_slots,
    where_scored,
)
from ntmbench.report.style import plain_figure, styled, wrapped

FloatArray = NDArray[np.float32]

ARRAYS = ("inputs", "targets", "mask", "probabilities")
TRACE = ("read_weightings", "write_weightings", "reads", "adds")


@dataclass(frozen=True)
class Example:
    """A run's answer to one test sequence of T steps.

    Attributes:
        label: the model.
        seed: of the run.
        length: of the sequence.
        inputs: ``[T, in]``.
        targets: ``[T, out]``.
        scored: ``[T]``, where the answer counts.
        probabilities: ``[T, out]``, each that the bit is 1.
        trace: ``read_weightings [T, R, N]``, ``write_weightings [T, W, N]``, ``reads [T, R, M]``
            and ``adds [T, W, M]`` of a model with an external memory; else nothing.
    """

    label: str
    seed: int
    length: int
    inputs: FloatArray
    targets: FloatArray
    scored: NDArray[np.bool_]
    probabilities: FloatArray
    trace: Mapping[str, FloatArray]

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """``[T, out]``: the scored bits that are wrong."""
        differ: NDArray[np.bool_] = (self.probabilities > 0.5) != (self.targets > 0.5)
        return differ & self.scored[:, np.newaxis]

    @property
    def scored_bits(self) -> int:
        """How many bits of the answer count."""
        return int(self.scored.sum()) * int(self.targets.shape[1])

    @property
    def answer_start(self) -> int:
        """The first scored step."""
        return int(self.scored.argmax())


def median_run(runs: pd.DataFrame, score: str) -> pd.Series[float] | None:
    """Of one group's finished runs with an example that of the median score, the lower of two.

    None where there is none.
    """
    there = [(Path(folder) / "example.npz").exists() for folder in runs["folder"]]
    shown = runs[np.array(there, dtype=bool) & (runs["outcome"] == "finished").to_numpy()]
    if shown.empty:
        return None
    ordered = shown.sort_values([score, "seed"])
    return ordered.iloc[(len(ordered) - 1) // 2]


def read_example(run: pd.Series[float]) -> Example:
    """Read the example of a row of the table of runs.

    Raises:
        OSError, ValueError: if the file can not be read or does not hold an example.
    """
    path = Path(str(run["folder"])) / "example.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in ARRAYS}
            trace = {name: file[name].astype(np.float32) for name in TRACE if name in file}
            length = int(file["length"])
    except (KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} does not hold an example: {error}") from error
    return Example(
        label=str(run["label"]),
        seed=int(run["seed"]),
        length=length,
        inputs=arrays["inputs"],
        targets=arrays["targets"],
        scored=arrays["mask"] > 0,
        probabilities=arrays["probabilities"],
        trace=trace if len(trace) == len(TRACE) else {},
    )


@styled
def plot_answers(examples: Sequence[Example]) -> Figure:
    """Input, target and each model's output, below one another; wrong bits are crossed.

    The examples are of the same sequence.
    """
    first = examples[0]
    rows = [
        ("input", first.inputs, colours_of(first.inputs)),
        ("target", where_scored(first.scored, first.targets), (SEQUENTIAL, 0.0, 1.0)),
        *(
            (
                f"{example.label}\nseed {example.seed}: {example.wrong.sum():,} wrong",
                where_scored(example.scored, example.probabilities),
                (SEQUENTIAL, 0.0, 1.0),
            )
            for example in examples
        ),
    ]
    heights = [max(panel_height(values.shape[1]), 0.42) for _, values, _ in rows]
    gap, top, bottom = 0.12, 0.1, 0.5
    height = top + sum(heights) + gap * (len(rows) - 1) + bottom
    figure = plain_figure(9, height)
    figure.subplots_adjust(
        left=0.21,
        right=0.99,
        top=1 - top / height,
        bottom=bottom / height,
        hspace=gap * len(rows) / sum(heights),
    )
    panels = figure.subplots(len(rows), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (name, values, colours) in zip(panels, rows, strict=True):
        draw_panel(axes, values, colours)
        axes.yaxis.set_major_locator(NullLocator())
        axes.set_ylabel(
            "\n".join(wrapped(line, 24) for line in name.split("\n")),
            rotation=0, ha="right", va="center", fontsize=9,
        )  # fmt: skip
        if first.answer_start > 0:
            mark_answer(axes, first.answer_start)
    for axes, example in zip(panels[2:], examples, strict=True):
        steps, channels = np.nonzero(example.wrong)
        axes.plot(steps, channels, "x", color=FAULT, markersize=4.5, markeredgewidth=1.5)
    panels[-1].set_xlabel("step")
    return figure


@styled
def plot_trace(example: Example) -> Figure:
    """How the memory was used, after figure 6 of Graves et al. (2014).

    Add vectors and write weightings on the left, read vectors and read weightings on the right,
    heads below one another. Of the slots those are shown that any head used.
    """
    trace = example.trace
    writes, reads = trace["write_weightings"], trace["read_weightings"]
    slots = used_slots(np.concatenate([writes, reads], axis=1))
    vectors = max(heads_height(trace["adds"]), heads_height(trace["reads"]))
    weightings = max(heads_height(writes[:, :, slots]), heads_height(reads[:, :, slots]))
    top, between, bottom = 0.6, 0.45, 0.5
    height = top + vectors + between + weightings + bottom
    figure = plain_figure(9, height)
    figure.subplots_adjust(
        left=0.07,
        right=0.99,
        top=1 - top / height,
        bottom=bottom / height,
        hspace=2 * between / (vectors + weightings),
        wspace=0.16,
    )
    grid = figure.subplots(2, 2, sharex=True, height_ratios=[vectors, weightings])
    for axes, name in ((grid[0, 0], "adds"), (grid[0, 1], "reads")):
        largest = max(float(np.abs(trace[name]).max()), 1e-6)
        words = np.arange(trace[name].shape[2])
        draw_heads(figure, axes, trace[name], (DIVERGING, -largest, largest), words, "word element")
        axes.set_title(name)
    for axes, weighting, name in ((grid[1, 0], writes, "write"), (grid[1, 1], reads, "read")):
        draw_heads(figure, axes, weighting[:, :, slots], (SEQUENTIAL, 0.0, 1.0), slots, "slot")
        axes.set_title(f"{name} weightings")
        axes.set_xlabel("step")
    for axes in grid.flat:
        mark_answer(axes, example.answer_start)
    figure.suptitle(
        f"{len(slots)} of {writes.shape[2]} slots shown (weight above {USED_WEIGHT})",
        x=0.01,
        ha="left",
        fontsize=10,
    )
    return figure

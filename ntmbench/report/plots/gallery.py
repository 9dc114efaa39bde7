"""One test sequence as each model answered it, and what a model did to its memory meanwhile.

All of it is read from the ``example.npz`` that a run leaves; nothing is computed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ntmbench.plotting.example import (
    Example,
    answer_panel,
    input_panels,
    read_example,
    target_panel,
)
from ntmbench.plotting.panels import Panel
from ntmbench.plotting.sheet import draw_panels
from ntmbench.plotting.words import draw_words, fits_words
from ntmbench.runs.stored import ExampleFile


@dataclass(frozen=True)
class Answered:
    """A run's answer to a test sequence of a length, and the panels of its memory, if it has one.

    ``label`` is the model's.
    """

    label: str
    seed: int
    length: int
    example: Example
    memory: list[Panel]


def median_run(
    runs: pd.DataFrame, score: str, examples: Mapping[str, ExampleFile]
) -> pd.Series[float] | None:
    """Of one group's finished runs with an example that of the median score, the lower of two.

    None where there is none.
    """
    shown = runs[runs["run"].isin(examples) & (runs["outcome"] == "finished")]
    if shown.empty:
        return None
    ordered = shown.sort_values([score, "seed"])
    return ordered.iloc[(len(ordered) - 1) // 2]


def read_answer(run: pd.Series[float], file: ExampleFile) -> Answered:
    """Read the example of a row of the table of runs.

    Raises:
        OSError, ValueError: if the file cannot be read or does not hold an example.
        UserError: if it is not what the run wrote.
    """
    length, example, memory = read_example(Path(str(run["folder"])) / "example.npz", file.read())
    return Answered(str(run["label"]), int(run["seed"]), length, example, memory)


def plot_answers(answers: Sequence[Answered]) -> Figure:
    """Input, target and each model's output, below one another; what is wrong is marked.

    The answers are to the same sequence.
    """
    first = answers[0].example
    if fits_words(first):
        return draw_words(
            {f"{answered.label}, seed {answered.seed}": answered.example for answered in answers}
        )
    outputs = [
        answer_panel(
            answered.example,
            f"{answered.label}\nseed {answered.seed}: {answered.example.wrong.sum():,} wrong",
        )
        for answered in answers
    ]
    panels = [*input_panels(first, rows=""), target_panel(first), *outputs]
    return draw_panels(panels, answer_start=first.answer_start)


def plot_memory(answered: Answered) -> Figure:
    """What a model did to its memory on that sequence."""
    start = answered.example.answer_start
    return draw_panels(answered.memory, answer_start=start, columns=2)

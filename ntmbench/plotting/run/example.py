"""The picture of a run's answer to one test sequence."""

from __future__ import annotations

from matplotlib.figure import Figure

from ntmbench.plotting.example import (
    Example,
    answer_panel,
    error_panel,
    input_panels,
    target_panel,
)
from ntmbench.plotting.sheet import draw_panels
from ntmbench.plotting.words import draw_words, fits_words


def plot_example(example: Example, title: str) -> Figure:
    """Input, target, the model's answer and its errors, below one another over the steps.

    Symbols are words, above the probabilities of those that were answered if all steps have room on
    a line.
    """
    symbols, rows, told = example.kind == "symbols", example.rows, f"{title}: {example.verdict}"
    if fits_words(example):
        return draw_words({"output": example}, title=told, below=[answer_panel(example, rows=rows)])
    panels = [
        *input_panels(example),
        target_panel(example, rows=rows),
        answer_panel(example, rows=rows, crossed=symbols),
    ]
    if not symbols:
        panels.append(error_panel(example, rows=rows))
    return draw_panels(panels, title=told, answer_start=example.answer_start)

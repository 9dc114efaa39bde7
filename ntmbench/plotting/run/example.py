"""The picture of a run's answer to one test sequence."""

from __future__ import annotations

from matplotlib.figure import Figure

from ntmbench.plotting.example import (
    Example,
    answer_panel,
    error_panel,
    fits_words,
    input_panels,
    target_panel,
    words_panels,
)
from ntmbench.plotting.sheet import draw_panels


def plot_example(example: Example, title: str) -> Figure:
    """Input, target, the model's answer and its errors, below one another over the steps.

    Symbols are words, as far as there is room, above the probabilities of those that were answered.
    """
    symbols, rows = example.kind == "symbols", example.rows
    if fits_words(example):
        panels = [*words_panels({"output": example}), answer_panel(example, rows=rows)]
    else:
        panels = [
            *input_panels(example),
            target_panel(example, rows=rows),
            answer_panel(example, rows=rows, crossed=symbols),
        ]
        if not symbols:
            panels.append(error_panel(example, rows=rows))
    return draw_panels(
        panels, title=f"{title}: {example.verdict}", answer_start=example.answer_start
    )

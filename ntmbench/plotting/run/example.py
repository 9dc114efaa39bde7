"""The picture of a run's answer to one test sequence."""

from __future__ import annotations

from matplotlib.figure import Figure

from ntmbench.plotting.example import (
    Example,
    answer_panel,
    error_panel,
    input_panels,
    symbols_panel,
    target_panel,
)
from ntmbench.plotting.sheet import draw_panels


def plot_example(example: Example, title: str) -> Figure:
    """Input, target, the model's answer and its errors, below one another over the steps."""
    symbols, rows = example.kind == "symbols", example.rows
    panels = [
        *input_panels(example),
        target_panel(example, rows=rows),
        answer_panel(example, rows=rows, crossed=symbols),
        symbols_panel(example) if symbols else error_panel(example, rows=rows),
    ]
    return draw_panels(
        panels, title=f"{title}: {example.verdict}", answer_start=example.answer_start
    )

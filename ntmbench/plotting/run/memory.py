"""The picture of what a model did to its memory."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from ntmbench.plotting.example import Example, answer_panel, input_panels
from ntmbench.plotting.panels import Panel
from ntmbench.plotting.sheet import draw_panels


def plot_memory(example: Example, memory: Sequence[Panel], title: str) -> Figure:
    """The input and the answer side by side, and below them the panels of the memory."""
    first, *more = input_panels(example, "inputs")
    panels = [first, answer_panel(example, "outputs", example.rows), *memory, *more]
    return draw_panels(panels, title=title, answer_start=example.answer_start, columns=2)

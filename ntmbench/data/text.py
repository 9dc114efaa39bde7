"""A sequence as text, for docstrings and for a look at a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntmbench.task import Batch


def as_text(batch: Batch, sequence: int = 0) -> str:
    """Write one sequence as a table with a line per step: its inputs and its targets.

    Targets that are not scored are dots.
    """
    lines = []
    for inputs, targets, scored in zip(
        batch.inputs[:, sequence], batch.targets[:, sequence], batch.mask[:, sequence], strict=True
    ):
        asked = " ".join(f"{target:.0f}" if scored else "." for target in targets)
        shown = (f"{value:.0f}" if value in (0, 1) else f"{value:+.2f}" for value in inputs)
        lines.append(f"{' '.join(shown)} | {asked}")
    return "\n".join(lines)

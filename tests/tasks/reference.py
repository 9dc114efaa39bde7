"""Where the reference results lie, and when a task counts as solved in them."""

from __future__ import annotations

from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "results/reference"
#: What is left of the errors of chance, above the optimum, where a task counts as solved.
SOLVED = 0.05

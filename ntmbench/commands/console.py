"""Console output of a command: the test grid, and the lines of parallel runs."""

from __future__ import annotations

import io
import sys

import pandas as pd
from rich.console import Console
from rich.table import Table

from ntmbench.runs.runner import Outcome


def show(outcome: Outcome, console: Console) -> None:
    """Print the evaluation and its folder."""
    if outcome.evaluation is not None:
        verdict = "already done" if outcome.already else outcome.state
        title = f"{outcome.folder.name}: {verdict}"
        console.print(evaluation_table(outcome.evaluation, title, outcome.unit))
    if outcome.reason:
        console.print(outcome.reason, highlight=False, markup=False, soft_wrap=True)
    if outcome.already:
        console.print("Not run again; rerun=true forces it.", highlight=False)
    # A path is printed in one piece, however narrow the terminal, so that it can be copied.
    console.print(str(outcome.folder), highlight=False, soft_wrap=True)


def evaluation_table(table: pd.DataFrame, title: str, unit: str) -> Table:
    """The test grid; ``unit`` is that of errors, such as ``bit``."""
    drawn = Table(title=title, title_justify="left")
    for heading in ("length", "slots", f"wrong {unit}s", "chance", "loss bits", "exact"):
        drawn.add_column(heading, justify="right")
    for row in table.to_dict("records"):
        drawn.add_row(
            f"{row['length']}",
            "-" if pd.isna(row["memory_slots"]) else f"{row['memory_slots']}",
            f"{row['errors']:.3f}",
            f"{row['chance_errors']:.1f}",
            f"{row['loss_bits']:.3f}",
            f"{row['exact_match']:.1%}",
        )
    return drawn


class NamedLines(io.TextIOBase):
    """Standard output of one of several parallel runs: each line begins with the run's name."""

    def __init__(self, name: str) -> None:
        """Put ``name`` before each line."""
        self._name = name
        self._begun = ""

    def write(self, text: str) -> int:
        """Write the complete lines, and keep the rest."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            named = line if line.startswith(self._name) else f"{self._name}  {line}"
            sys.stdout.write(f"{named}\n")
        return len(text)

    def flush(self) -> None:
        """Flush standard output."""
        sys.stdout.flush()

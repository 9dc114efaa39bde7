"""Cells of a moment, and what a sweep leaves of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.conftest import TINY

CELL = (
    "model.hidden_size=8",
    "task.min_length=6",
    "task.max_length=6",
    *(argument for argument in TINY if argument.startswith("train")),
    "evaluation.sequences=16",
    "evaluation.lengths=[6]",
)


def table_of(tmp_path: Path) -> pd.DataFrame:
    """The newest sweep's table, in the cells' order."""
    newest = max((tmp_path / "results" / "sweeps").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    return pd.read_csv(newest / "sweep.csv", keep_default_na=False)


def numbers(results: Path) -> dict[str, tuple[list[list[str]], str]]:
    """The files of every run, without times."""
    return {
        run.name: (
            [
                row[:2] + row[3:]
                for row in (line.split(",") for line in (run / "metrics.csv").open())
            ],
            (run / "evaluation.csv").read_text(),
        )
        for run in (results / "runs").iterdir()
    }

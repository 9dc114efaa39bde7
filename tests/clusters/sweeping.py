"""Sweeps by a launcher, started as processes, and what their runs left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: A run of about a second, most of it pictures, with an evaluation of two lengths.
SHORT = (
    "task=copy", "model=lstm", "model.hidden_size=8", "task.max_length=3", "train.batch_size=4",
    "train.sequences=64", "train.validate_every=16", "train.validation_sequences=32",
    "train.selection_sequences=16", "evaluation.sequences=16", "evaluation.lengths=[3,5]",
)  # fmt: skip


def started(
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str],
    output: int = subprocess.PIPE,
    module: str = "ntmbench",
    new_session: bool = False,
) -> subprocess.Popen[str]:
    """Start a command line of ``python -m ntmbench`` in a folder, with its output in a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=new_session,
    )


def numbers(results: Path) -> dict[str, str]:
    """Learning curve and test grid of every run, without its times."""
    return {
        run.name: _without_seconds(run / "metrics.csv") + (run / "evaluation.csv").read_text()
        for run in (results / "runs").iterdir()
    }


def _without_seconds(metrics: Path) -> str:
    header, *rows = [line.split(",") for line in metrics.read_text().splitlines()]
    place = header.index("seconds")
    return "".join(",".join(row[:place] + row[place + 1 :]) + "\n" for row in rows)


def trainings(results: Path) -> list[int]:
    """How often each run was trained to its end: a finished run that is met again is not."""
    return [log.read_text().count("Trained in") for log in results.glob("runs/*/log.txt")]

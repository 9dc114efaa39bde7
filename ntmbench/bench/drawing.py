"""`python -m ntmbench.bench.drawing`: processor time to draw a batch of every task."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from ntmbench.bench.measure import median_seconds
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import plain_table
from ntmbench.data.files import write_text
from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.registry import make_task, task_names
from ntmbench.task import Task

FILE = "drawing.csv"

#: Sequences of a batch, and how many batches are drawn.
BATCH = 64
DRAWN = 25

COLUMNS = [
    "family",
    "task",
    "length",  # the longest in training
    "steps",  # T
    "ms_per_batch",  # of processor time, which others' load leaves alone; median over batches
]


@refusing("ntmbench.bench.drawing")
def main(arguments: Sequence[str] | None = None) -> None:
    """Time all tasks, print the table and write it."""
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.bench.drawing",
        description=f"Measure the processor time that each task takes to draw a batch of {BATCH} "
        f"sequences of its longest training length: the median over {DRAWN} batches.",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results/bench"),
        help="folder for the table as CSV (default: %(default)s)",
    )
    out: Path = parser.parse_args(arguments).out
    table = measure_drawing([make_task(name) for name in task_names()])
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / FILE, table.to_csv(index=False, float_format="%.3g"))
    Console().print(drawn_drawing(table))
    print(out / FILE)


def measure_drawing(tasks: list[Task]) -> pd.DataFrame:
    """The processor time of each task; rows with COLUMNS, the slowest first."""
    rows = []
    for task in tasks:
        length = task.length_range[1]
        steps = len(task.test_set(length, 1).inputs)
        step = partial(_draw, task, RandomWords(Stream.TRAINING, 0))
        taken = median_seconds(step, DRAWN, time.process_time)
        rows.append((task.family, task.name, length, steps, taken * 1e3))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("ms_per_batch", ascending=False, ignore_index=True)


def _draw(task: Task, words: RandomWords) -> None:
    task.draw(words, BATCH, task.length_range[1], test=False)


def drawn_drawing(table: pd.DataFrame) -> Table:
    """The table for the console."""
    shown = {
        "family": ("family", "{}"),
        "task": ("task", "{}"),
        "length": ("length", "{}"),
        "steps": ("T", "{}"),
        "ms_per_batch": (f"CPU ms for {BATCH}", "{:.2f}"),
    }
    return plain_table(table.assign(all=0), shown, rule_between=["all"])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `... | head` ends as any Unix tool does
    sys.exit(main())

"""What a run says: log lines in a file and on the console, and one progress bar on a terminal."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

logger = logging.getLogger("ntmbench")

# Often enough for the eye, seldom enough to cost nothing.
REFRESH_SECONDS = 0.2


@contextmanager
def logging_to(path: Path, console: Console) -> Iterator[None]:
    """Send the suite's log to a file, with the time, and to the console, without."""
    to_file = logging.FileHandler(path, encoding="utf-8")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    to_console = _ConsoleHandler(console)
    logger.setLevel(logging.INFO)
    for handler in (to_file, to_console):
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in (to_file, to_console):
            logger.removeHandler(handler)
            handler.close()


@contextmanager
def records_kept() -> Iterator[list[logging.LogRecord]]:
    """Keep the suite's log for later, while there is no file that it could go to."""
    records: list[logging.LogRecord] = []
    handler = _KeepingHandler(records)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield records
    finally:
        logger.removeHandler(handler)


class _KeepingHandler(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


class NamedLines(io.TextIOBase):
    """Standard output for one of several runs at a time: each line begins with the run's name."""

    def __init__(self, name: str) -> None:
        """``name`` is put before each line."""
        self._name = name
        self._begun = ""

    def write(self, text: str) -> int:
        """Write the lines that are complete, and keep the rest."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            named = line if line.startswith(self._name) else f"{self._name}  {line}"
            sys.stdout.write(f"{named}\n")
        return len(text)

    def flush(self) -> None:
        """Flush standard output."""
        sys.stdout.flush()


class _ConsoleHandler(logging.Handler):
    """Prints each message as one line, above the progress bar where there is one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "file_only", False):
            self._console.print(record.getMessage(), highlight=False, markup=False, soft_wrap=True)


class TrainingBar:
    """A line with loss, wrong bits, speed and time left; drawn on a terminal only."""

    def __init__(self, console: Console, total: int) -> None:
        """``total`` is the number of training sequences."""
        self._progress = Progress(
            TextColumn("{task.percentage:3.0f} %"),
            BarColumn(bar_width=10),  # the line fits 80 columns
            TextColumn("loss {task.fields[loss]}  wrong {task.fields[wrong]} bits"),
            TextColumn("{task.fields[speed]} sequences/s"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar: TaskID = self._progress.add_task("", total=total, loss="-", wrong="-", speed="-")
        self._drawn = 0.0
        self._since = (time.monotonic(), 0)

    def __enter__(self) -> TrainingBar:
        """Draw the line."""
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Take the line away."""
        self._progress.stop()

    def start_at(self, sequences: int) -> None:
        """Begin in the middle, after a resume."""
        self._since = (time.monotonic(), sequences)
        self._progress.update(self._bar, completed=sequences)

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        """Move on, every now and then."""
        now = time.monotonic()
        if now - self._drawn >= REFRESH_SECONDS:
            self._drawn = now
            started, before = self._since
            speed = (sequences - before) / max(now - started, 1e-9)
            self._progress.update(
                self._bar, completed=sequences, loss=f"{loss_bits():.2f}", speed=f"{speed:,.0f}"
            )

    def validated(self, wrong_bits: float) -> None:
        """Show the newest validation's wrong bits."""
        self._progress.update(self._bar, wrong=f"{wrong_bits:.2f}")


def evaluation_table(table: pd.DataFrame, title: str) -> Table:
    """The test grid for the console."""
    drawn = Table(title=title, title_justify="left")
    for heading in ("length", "slots", "wrong bits", "chance", "loss bits", "exact"):
        drawn.add_column(heading, justify="right")
    for row in table.to_dict("records"):
        drawn.add_row(
            f"{row['length']}",
            "-" if pd.isna(row["memory_slots"]) else f"{row['memory_slots']}",
            f"{row['wrong_bits']:.3f}",
            f"{row['chance_wrong_bits']:.1f}",
            f"{row['loss_bits']:.3f}",
            f"{row['exact_match']:.1%}",
        )
    return drawn

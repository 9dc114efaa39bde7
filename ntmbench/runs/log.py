"""The log of a run: lines in its file, with the time, and on the console, without."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

logger = logging.getLogger("ntmbench")


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
    """Keep the suite's log for later, as long as there is no file for it."""
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


class _ConsoleHandler(logging.Handler):
    """Prints each message as one line, above the progress bar if there is one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "file_only", False):
            self._console.print(record.getMessage(), highlight=False, markup=False, soft_wrap=True)

"""The log of a run: lines in its file, with the time, and on the console, without."""

from __future__ import annotations

import logging
import sys
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
    to_file = _File(path, console)
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


@contextmanager
def said_once(records: list[logging.LogRecord]) -> Iterator[None]:
    """Log records that were kept; within the context each of them is not said a second time.

    A model's trial and the model itself say the same.
    """
    said = set()
    for record in records:
        if record.getMessage() not in said:
            logger.handle(record)
            said.add(record.getMessage())

    def is_new(record: logging.LogRecord) -> bool:
        return record.getMessage() not in said

    logger.addFilter(is_new)
    try:
        yield
    finally:
        logger.removeFilter(is_new)


class _KeepingHandler(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


class _File(logging.FileHandler):
    """The file of the log; if it cannot be written, the console is told once, in a line."""

    def __init__(self, path: Path, console: Console) -> None:
        super().__init__(path, encoding="utf-8")
        self._console = console
        self._failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        self._tell(sys.exc_info()[1])

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:  # what a full disk has no room for
            self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        if not self._failed:
            self._failed = True
            line = f"The log cannot be written: {self.baseFilename}: {error}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class _ConsoleHandler(logging.Handler):
    """Prints each message as one line, above the progress bar if there is one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "file_only", False):
            self._console.print(record.getMessage(), highlight=False, markup=False, soft_wrap=True)

"""Signals that ask a training to stop: noted at once, obeyed between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Training was stopped by a signal; its checkpoint, if it has one, is up to date."""

    def __init__(self, signal_number: int) -> None:
        """Remember which signal it was."""
        super().__init__(signal_number)  # so that it can be sent between processes
        self.signal_number = signal_number


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Within the context SIGTERM raises ``Interrupted``, as SIGINT raises KeyboardInterrupt.

    It does so in the main thread, the only one that may handle signals; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass
class StopRequest:
    """The signal that came, or 0."""

    signal_number: int = 0


@contextmanager
def stop_requests(announce: Callable[[], None]) -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM, so that no step is cut in half; a second one acts at once."""
    # A handler must not use a stream that may be in use when its signal comes.
    announcing = threading.Thread(target=announce)
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may handle signals
        return
    before: dict[int, Any] = {}

    def restore_handlers() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def request(number: int, frame: FrameType | None) -> None:
        stop.signal_number = number
        restore_handlers()
        announcing.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, request)
    try:
        yield stop
    finally:
        restore_handlers()
        if announcing.ident is not None:
            announcing.join()

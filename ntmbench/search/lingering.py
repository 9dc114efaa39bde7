"""The end of a search whose last workers still wait in a queue when all trials have ended.

A launcher waits for all that it has started. A job that the cluster starts tomorrow would find
nothing to do, so it is taken back as by Ctrl-C.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from ntmbench.errors import UserError
from ntmbench.search.study import SharedStudy

#: Seconds between two looks at the study.
LOOK = 5.0
#: Seconds that workers have to end by themselves when all trials have ended.
LINGER = 30.0


@contextmanager
def ended_with_the_trials(study: SharedStudy, console: Console) -> Iterator[None]:
    """Stop what runs within the context, as SIGTERM does, a moment after all trials have ended.

    What that raises is not passed on. SIGTERM must raise KeyboardInterrupt, see
    ``interrupted_by_sigterm``.
    """
    main, over, stopped = threading.get_ident(), threading.Event(), threading.Event()

    def watch() -> None:
        try:
            while not study.is_complete():
                if over.wait(LOOK):
                    return
        except (UserError, OSError):
            return  # the main thread reads the study next, and tells of it
        if not over.wait(LINGER):
            stopped.set()
            signal.pthread_kill(main, signal.SIGTERM)

    watching = threading.Thread(target=watch, name="trials", daemon=True)
    watching.start()
    try:
        try:
            yield
        finally:
            over.set()
            watching.join()
    except KeyboardInterrupt:
        if not stopped.is_set():
            raise
        console.print("All trials have ended; workers that still wait are taken back.")

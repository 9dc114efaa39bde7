"""Blocks of sequences shared out among threads.

The kernels release Python's global lock, so that plain threads are enough. A block's results depend
neither on the thread that runs it nor on the other blocks: any number of threads gives the same
bits.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

#: Sequences that share each pass over the weights.
BLOCK = 8
#: Steps times sequences from which threads share the weights' gradients. Below, sharing does not
#: pay, and one thread computes all rows in a single piece, whatever room that takes.
_SHARED_STEPS = 256
#: The most rows of a piece if they are shared. There is one piece for each thread, since each costs
#: a start, unless a controller is so large that a piece would have more rows than this.
_GRADIENT_ROWS = 4096

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_pool_size = 0


def _forget_pool() -> None:
    """A forked process has none of its parent's threads."""
    global _lock, _pool, _pool_size
    _lock, _pool, _pool_size = threading.Lock(), None, 0


os.register_at_fork(after_in_child=_forget_pool)


def _threads(count: int) -> ThreadPoolExecutor:
    """A pool of at least so many threads."""
    global _pool, _pool_size
    with _lock:
        if _pool is None or _pool_size < count:
            # The smaller pool is left alone, since somebody may still be using it.
            _pool = ThreadPoolExecutor(count, thread_name_prefix="ntmbench")
            _pool_size = count
        return _pool


def split(count: int, largest: int, workers: int) -> list[tuple[int, int]]:
    """Cut ``count`` things into (first, size) pieces: one or more a worker, none too large."""
    pieces = -(-count // largest)
    pieces = -(-pieces // workers) * workers
    size = -(-count // pieces)
    return [(first, min(size, count - first)) for first in range(0, count, size)]


def row_pieces(rows: int, terms: int, workers: int) -> list[tuple[int, int]]:
    """Cut the rows of the weights' gradients, sums of so many terms, into (first, count) pieces."""
    shared = workers > 1 and terms >= _SHARED_STEPS
    return split(rows, _GRADIENT_ROWS, workers) if shared else [(0, rows)]


def run(job: Callable[[int, int, int], None], pieces: list[tuple[int, int]], workers: int) -> None:
    """Call ``job(worker, first, size)`` for every piece; calls of one worker do not overlap."""
    workers = min(workers, len(pieces))
    if workers == 1:
        for first, size in pieces:
            job(0, first, size)
        return
    queue = iter(pieces)

    def work(worker: int) -> None:
        for first, size in _locked(queue):
            job(worker, first, size)

    others: list[Future[None]] = []
    failure: BaseException | None = None
    try:
        pool = _threads(workers - 1)
        for worker in range(1, workers):
            others.append(pool.submit(work, worker))
        work(0)
    except BaseException as error:
        failure = error
        # Nothing more is started, not even by a call that was queued although submitting it failed.
        for _ in _locked(queue):
            pass
    # The others write into the caller's memory, so this waits for them. A Ctrl-C in the meantime is
    # kept until they are done. Only one that comes between two of these lines leaves at once: a
    # signal handler could hold it back, but handlers are the caller's business.
    for other in others:
        while not other.done():
            try:
                other.exception()
            except BaseException as error:
                failure = error
    if failure is not None:
        raise failure
    for other in others:
        other.result()


def _locked(queue: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    while True:
        with _lock:
            piece = next(queue, None)
        if piece is None:
            return
        yield piece

"""Numba's compiled functions on disk.

By Numba's own rules they are kept beside the sources, or in the user's cache folder if that cannot
be written; ``NUMBA_CACHE_DIR`` names another place. They are valid until a file that they are made
of changes. On a full or read-only disk each process compiles them anew; nothing else is lost.

Processes that need the same function at the same moment all compile it, and each keeps its own.
Numba replaces a file in one move, so that nobody reads half of one. But it also reads, extends and
rewrites an index of a function's variants (float32, float64). If two processes do so at once, one
forgets the other's variant, or both give theirs the same number and one later loads what the other
compiled. So only one process saves at a time.
"""

from __future__ import annotations

import fcntl
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache

from .sources import digest_of_function

_LOG = logging.getLogger("ntmbench")


def keep_on_disk(dispatcher: Any, compiling: Callable[[], None] | None = None) -> None:
    """Give a dispatcher of ``numba.njit`` a cache on disk, unless no file holds its function.

    ``compiling`` is called before a compilation; ``say_that_it_compiles`` is meant for that.
    """
    digest = digest_of_function(dispatcher.py_func)
    if digest is None:
        return
    try:
        dispatcher._cache = _Cache(dispatcher.py_func, digest, compiling)
    except RuntimeError as error:  # no folder that may be written to
        _warn(str(error))


@functools.cache
def say_that_it_compiles(what: str, seconds: int) -> None:
    """Say once why nothing happens for about so many seconds.

    It is a warning, because Python prints those even if nobody has set up logging.
    """
    _LOG.warning("Compiling %s: about %d seconds, once on this machine.", what, seconds)


class _Cache(FunctionCache):
    def __init__(
        self, function: Callable[..., Any], sources: str, compiling: Callable[[], None] | None
    ) -> None:
        super().__init__(function)
        self._sources = sources
        self._compiling = compiling

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), self._sources)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        if found is None and self._compiling is not None:
            self._compiling()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            with (Path(self.cache_path) / ".ntmbench.lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
                super().save_overload(sig, data)
        except OSError as error:
            _warn(f"{self.cache_path}: {error.strerror}")


@functools.cache
def _warn(reason: str) -> None:
    _LOG.warning("Compiled code cannot be kept: each process compiles anew. %s", reason)

"""How the kernels are compiled, and how the results are kept on disk.

Compiled code is kept beside the sources, or in the user's cache folder where that can not be
written, by Numba's own rules (``NUMBA_CACHE_DIR`` names another place). Numba looks at the source
file of the function alone; here a change of any file that the kernels are made of counts.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])

_LOG = logging.getLogger("ntmbench")
_FOLDER = Path(__file__).parent
#: Files outside this folder whose constants are compiled into the kernels.
_CONSTANTS = (_FOLDER.parent / "addressing.py", _FOLDER.parent / "cell.py")


def _digest_of_sources() -> str:
    """A digest of every file that the kernels are made of."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (*sorted(_FOLDER.glob("*.py")), *_CONSTANTS):
        digest.update(path.read_bytes())
    return digest.hexdigest()


# Taken on import, so that it stands for the code that this process runs, whatever becomes of the
# files later.
_DIGEST = _digest_of_sources()


@functools.cache
def _say_that_it_compiles() -> None:
    _LOG.info("Compiling the fused engine: about 15 seconds, once on this machine.")


class _Cache(FunctionCache):
    """Numba's cache on disk, with all sources in the key."""

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), _DIGEST)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        if found is None:
            _say_that_it_compiles()
        return found


def compiled(function: Function) -> Function:
    """Compile a part of a kernel, callable from kernels alone."""
    jit = numba.njit(
        nogil=True, error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True
    )
    result: Function = jit(function)
    return result


def kernel(function: Function) -> Function:
    """Compile a function that Python calls; it lets other threads run, and is kept on disk."""
    dispatcher = numba.njit(nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True)(
        function
    )
    try:
        dispatcher._cache = _Cache(function)
    except RuntimeError:
        # What Numba raises where it finds no folder that it may write to.
        _LOG.warning("No folder for compiled code can be written: every process compiles anew.")
    result: Function = dispatcher
    return result

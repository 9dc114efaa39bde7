"""How the kernels are compiled, and kept on disk for as long as none of their files changes."""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

from ntmbench.compilation import keep_on_disk

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
    keep_on_disk(dispatcher, _DIGEST, _say_that_it_compiles)
    result: Function = dispatcher
    return result

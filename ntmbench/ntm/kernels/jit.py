"""How the kernels are compiled, and kept on disk for as long as none of their files changes."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

from ntmbench.compilation import keep_on_disk, say_that_it_compiles

Function = TypeVar("Function", bound=Callable[..., Any])

#: Files outside the kernels' folder of which something is compiled into the kernels.
ELSEWHERE = ("addressing.py", "cell.py", "../addresses.py")


def digest_of_sources(folder: Path) -> str:
    """A digest of every file that the kernels are made of; ``folder`` is that of the NTM."""
    digest = hashlib.blake2b(digest_size=16)
    elsewhere = (folder / name for name in ELSEWHERE)
    for path in (*sorted((folder / "kernels").glob("*.py")), *elsewhere):
        # Of each by itself, so that what moves from one file to the next is seen too.
        digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


# Taken on import, so that it stands for the code that this process runs, whatever becomes of the
# files later.
_DIGEST = digest_of_sources(Path(__file__).parent.parent)
_notice = functools.partial(say_that_it_compiles, "the fused engine", 15)


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
    keep_on_disk(dispatcher, _DIGEST, _notice)
    result: Function = dispatcher
    return result

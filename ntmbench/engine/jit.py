"""How kernels are compiled: parts of them, and the functions that Python calls."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numba

from .compilation import keep_on_disk, say_that_it_compiles

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a part of a kernel, callable from kernels alone."""
    jit = numba.njit(
        nogil=True, error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True
    )
    result: Function = jit(function)
    return result


def kernel(what: str, seconds: int) -> Callable[[Function], Function]:
    """Decorator: compile a function that Python calls; it lets other threads run.

    The compiled function is kept on disk until something that it is made of changes.

    Args:
        what: what is compiled, in words; logged once while the compiler works.
        seconds: about how long all kernels of the same ``what`` take to compile.
    """
    jit = numba.njit(nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True)

    def compile_and_keep(function: Function) -> Function:
        result: Function = jit(function)
        keep_on_disk(result, functools.partial(say_that_it_compiles, what, seconds))
        return result

    return compile_and_keep

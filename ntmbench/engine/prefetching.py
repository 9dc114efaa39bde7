"""Asking for memory ahead of its use, where steps lie too far apart to be foreseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .vector_ir import call, element_pointer


@intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Begin to load the number at an index, which may lie outside of the array."""
    return types.void(array, types.intp), _asking(0)


@intrinsic
def prefetch_to_write(typing: Any, array: Any, index: Any) -> Any:
    """The same for a number that will be written."""
    return types.void(array, types.intp), _asking(1)


def _asking(writes: int) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = element_pointer(context, builder, sig.args[0], *args)
        kind = ir.IntType(32)
        # For reading or writing, to be kept in all caches, data.
        how = [ir.Constant(kind, writes), ir.Constant(kind, 3), ir.Constant(kind, 1)]
        call(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, *how])
        return context.get_dummy_value()

    return generate

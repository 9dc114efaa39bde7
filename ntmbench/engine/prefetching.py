"""Asking for memory ahead of its use, where steps lie too far apart to be foreseen."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .vector_ir import call, element_pointer


@intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Begin to load the number at an index, which may lie outside of the array."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = element_pointer(context, builder, sig.args[0], *args)
        kind = ir.IntType(32)
        # For reading, to be kept in all caches, data.
        how = [ir.Constant(kind, 0), ir.Constant(kind, 3), ir.Constant(kind, 1)]
        call(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, *how])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate

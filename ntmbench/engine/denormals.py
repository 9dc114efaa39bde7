"""How the processor treats denormal numbers: a mode that a kernel sets and restores."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .processor import X86
from .vector_ir import call

#: Flush denormal results to zero, and read denormal arguments as zero.
_FLUSH = 0x8040


@intrinsic
def flush_denormals(typing: Any) -> Any:
    """Treat denormal numbers as zero from here on, and return what ``restore`` takes.

    They arise where little weight meets small gradients, and mean nothing there. On x86 processors
    they cost a hundred times an ordinary operation; on others this does nothing.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        mode = ir.IntType(32)
        if not X86:
            return ir.Constant(mode, 0)
        cell = cgutils.alloca_once(builder, mode)
        call(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), [cell])
        before = builder.load(cell)
        builder.store(builder.or_(before, ir.Constant(mode, _FLUSH)), cell)
        call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [cell])
        return before

    return types.int32(), generate


@intrinsic
def restore(typing: Any, mode: Any) -> Any:
    """Undo ``flush_denormals``."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if X86:
            cell = cgutils.alloca_once_value(builder, args[0])
            call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [cell])
        return context.get_dummy_value()

    return types.void(types.int32), generate

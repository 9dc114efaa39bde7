"""A vector type for Numba: as many numbers as one machine register holds.

LLVM's own vectoriser gives up where it can not prove that arrays do not overlap, which in these
kernels is nearly everywhere. So they say themselves what is done in vectors. A vector is loaded
from and stored to a flat, C-contiguous array; a register holds half as many float64 as float32
numbers. Nothing here checks bounds.
"""

from __future__ import annotations

import operator
import platform
from collections.abc import Mapping
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.core.datamodel import models
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

_X86 = platform.machine().lower() in ("x86_64", "amd64")


def processor_features() -> dict[str, bool]:
    """What Numba compiles for, by LLVM's names: the host's features, or NUMBA_CPU_FEATURES."""
    chosen = config.CPU_FEATURES
    text = get_host_cpu_features() if chosen is None else chosen
    return {name[1:]: name[0] == "+" for name in text.split(",") if name}


def vector_registers(features: Mapping[str, bool], x86: bool) -> tuple[int, int]:
    """Bits in a vector register, and how many registers there are.

    LLVM splits wider vectors than the machine has, so that 128 bits are right everywhere.
    """
    if features.get("avx512f"):
        return 512, 32
    if features.get("avx"):
        return 256, 16
    return 128, 16 if x86 else 32


def multiplies_and_adds_at_once(features: Mapping[str, bool], x86: bool) -> bool:
    """Whether a fused multiply-add is one instruction: without, LLVM calls a function for each."""
    return not x86 or features.get("fma", False)


_FEATURES = processor_features()
#: REGISTERS limits how large a block of a matrix product can be kept in them.
REGISTER_BITS, REGISTERS = vector_registers(_FEATURES, _X86)
FUSED_MULTIPLY_ADD = multiplies_and_adds_at_once(_FEATURES, _X86)


class VectorType(types.Type):
    """One register of ``dtype``."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        self.lanes = REGISTER_BITS // dtype.bitwidth
        super().__init__(name=f"vector({dtype} x {self.lanes})")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        element = ir.FloatType() if vector.dtype.bitwidth == 32 else ir.DoubleType()
        super().__init__(manager, vector, ir.VectorType(element, vector.lanes))


VECTORS = {
    types.float32: VectorType(types.float32),
    types.float64: VectorType(types.float64),
}

_OPERATIONS = {
    operator.add: ir.IRBuilder.fadd,
    operator.sub: ir.IRBuilder.fsub,
    operator.mul: ir.IRBuilder.fmul,
    operator.truediv: ir.IRBuilder.fdiv,
}


def _define_operation(python_operator: Any, instruction: Any) -> None:
    @infer_global(python_operator)
    class Template(ConcreteTemplate):
        cases = [signature(vector, vector, vector) for vector in VECTORS.values()]  # noqa: RUF012

    @lower_builtin(python_operator, VectorType, VectorType)
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # "contract" lets LLVM fuse a product and a sum.
        return instruction(builder, *args, flags=("contract",))


for _operator, _instruction in _OPERATIONS.items():
    _define_operation(_operator, _instruction)


def splat_value(builder: Any, value: ir.Value, lanes: int) -> ir.Value:
    """IR for a vector that repeats a scalar."""
    vector = ir.VectorType(value.type, lanes)
    single = builder.insert_element(
        ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), zeros)


def constant(vector: ir.VectorType, value: float) -> ir.Constant:
    """IR for a vector of one constant."""
    return ir.Constant(vector, [ir.Constant(vector.element, value)] * vector.count)


def call(builder: Any, name: str, result: ir.Type, args: list[ir.Value], **kwargs: Any) -> ir.Value:
    """IR for a call of an LLVM intrinsic by its full name."""
    function_type = ir.FunctionType(result, [arg.type for arg in args])
    function = cgutils.get_or_insert_function(builder.module, function_type, name)
    return builder.call(function, args, **kwargs)


def suffix(vector: ir.VectorType) -> str:
    """The name that LLVM gives a vector type in its intrinsics."""
    bits = 32 if isinstance(vector.element, ir.FloatType) else 64
    return f"v{vector.count}f{bits}"


def fused(builder: Any, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """IR for a * b + c, rounded once."""
    return call(builder, f"llvm.fma.{suffix(a.type)}", a.type, [a, b, c])


def element_pointer(context: Any, builder: Any, array: Any, value: Any, index: Any) -> ir.Value:
    """IR for the address of a flat array's element."""
    data = context.make_array(array)(context, builder, value).data
    return builder.gep(data, [index])


def vector_pointer(builder: Any, pointer: ir.Value, vector: ir.VectorType) -> ir.Value:
    """IR that takes an element's address for a vector's."""
    return builder.bitcast(pointer, vector.as_pointer())


def _bytes(vector: VectorType) -> int:
    return int(vector.dtype.bitwidth) // 8


@intrinsic
def lanes(typing: Any, array: Any) -> Any:
    """Numbers in one vector of the array's type."""
    count = VECTORS[array.dtype].lanes

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.get_constant(types.intp, count)

    return types.intp(array), generate


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """The vector that begins at an index."""
    vector = VECTORS[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        pointer = element_pointer(context, builder, sig.args[0], *args)
        return builder.load(vector_pointer(builder, pointer, kind), align=_bytes(vector), typ=kind)

    return vector(array, types.intp), generate


@intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a vector from an index on."""
    vector = VECTORS[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        pointer = element_pointer(context, builder, sig.args[0], *args[:2])
        builder.store(args[2], vector_pointer(builder, pointer, kind), align=_bytes(vector))
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


def _mask(context: Any, builder: Any, vector: ir.VectorType, count: ir.Value) -> ir.Value:
    bits = ir.IntType(32)
    numbers = ir.Constant(
        ir.VectorType(bits, vector.count),
        [ir.Constant(bits, lane) for lane in range(vector.count)],
    )
    limit = splat_value(builder, builder.trunc(count, bits), vector.count)
    return builder.icmp_signed("<", numbers, limit)


@intrinsic
def load_part(typing: Any, array: Any, index: Any, count: Any) -> Any:
    """The vector that begins at an index: its first ``count`` numbers, and zeros."""
    vector = VECTORS[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        pointer = element_pointer(context, builder, sig.args[0], *args[:2])
        mask = _mask(context, builder, kind, args[2])
        arguments = [
            vector_pointer(builder, pointer, kind),
            ir.Constant(ir.IntType(32), _bytes(vector)),
            mask,
            constant(kind, 0.0),
        ]
        return call(builder, f"llvm.masked.load.{suffix(kind)}.p0", kind, arguments)

    return vector(array, types.intp, types.intp), generate


@intrinsic
def store_part(typing: Any, array: Any, index: Any, value: Any, count: Any) -> Any:
    """Write the first ``count`` numbers of a vector from an index on."""
    vector = VECTORS[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        pointer = element_pointer(context, builder, sig.args[0], *args[:2])
        arguments = [
            args[2],
            vector_pointer(builder, pointer, kind),
            ir.Constant(ir.IntType(32), _bytes(vector)),
            _mask(context, builder, kind, args[3]),
        ]
        call(builder, f"llvm.masked.store.{suffix(kind)}.p0", ir.VoidType(), arguments)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector, types.intp), generate


@intrinsic
def transpose(
    typing: Any,
    source: Any,
    start: Any,
    row: Any,
    rows: Any,
    columns: Any,
    target: Any,
    to: Any,
) -> Any:
    """Write a block's columns as vectors, one after the other, zeros where it has fewer rows.

    The block begins at ``start``, its rows are ``row`` apart; rows and columns beyond a vector's
    length are left out.
    """
    vector = VECTORS[source.dtype]
    count = vector.lanes

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        _, start, row, rows, columns, _, to = args
        size = ir.Constant(ir.IntType(32), _bytes(vector))
        block = []
        for i in range(count):
            present = builder.icmp_signed("<", ir.Constant(rows.type, i), rows)
            mask = _mask(
                context,
                builder,
                kind,
                builder.select(present, columns, ir.Constant(rows.type, 0)),
            )
            at = builder.add(start, builder.mul(row, ir.Constant(row.type, i)))
            pointer = element_pointer(context, builder, sig.args[0], args[0], at)
            arguments = [
                vector_pointer(builder, pointer, kind),
                size,
                mask,
                constant(kind, 0.0),
            ]
            block.append(call(builder, f"llvm.masked.load.{suffix(kind)}.p0", kind, arguments))
        for _ in range(count.bit_length() - 1):
            half = count // 2
            block = [
                builder.shuffle_vector(block[i], block[i + half], _interleave(count, part))
                for i in range(half)
                for part in (0, half)
            ]
        for i in range(count):
            with builder.if_then(builder.icmp_signed("<", ir.Constant(columns.type, i), columns)):
                at = builder.add(to, ir.Constant(to.type, i * count))
                pointer = element_pointer(context, builder, sig.args[5], args[5], at)
                builder.store(
                    block[i],
                    vector_pointer(builder, pointer, kind),
                    align=_bytes(vector),
                )
        return context.get_dummy_value()

    integers = (types.intp, types.intp, types.intp, types.intp)
    return types.void(source, *integers, target, types.intp), generate


def _interleave(count: int, first: int) -> ir.Constant:
    """The lanes that alternate between two vectors, from their lane ``first`` on."""
    order = [lane + other for lane in range(first, first + count // 2) for other in (0, count)]
    integer = ir.IntType(32)
    return ir.Constant(ir.VectorType(integer, count), [ir.Constant(integer, i) for i in order])


@intrinsic
def splat(typing: Any, array: Any, value: Any) -> Any:
    """A vector of the array's type that repeats a number."""
    vector = VECTORS[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return splat_value(builder, args[1], vector.lanes)

    return vector(array, vector.dtype), generate


@intrinsic
def total(typing: Any, vector: Any) -> Any:
    """The sum of a vector's numbers."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        start = ir.Constant(kind.element, -0.0)
        name = f"llvm.vector.reduce.fadd.{suffix(kind)}"
        # "reassoc" allows a tree of sums; it is the same tree each time.
        return call(builder, name, kind.element, [start, args[0]], fastmath=("reassoc",))

    return vector.dtype(vector), generate


@intrinsic
def largest(typing: Any, vector: Any) -> Any:
    """The largest of a vector's numbers."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        name = f"llvm.vector.reduce.fmax.{suffix(kind)}"
        return call(builder, name, kind.element, [args[0]])

    return vector.dtype(vector), generate


def maximum_value(builder: Any, value: ir.Value, low: ir.Value) -> ir.Value:
    """IR for the larger of two vectors; NaN in ``value`` stays NaN."""
    return builder.select(builder.fcmp_ordered("<", value, low), low, value)


def minimum_value(builder: Any, value: ir.Value, high: ir.Value) -> ir.Value:
    """IR for the smaller of two vectors; NaN in ``value`` stays NaN."""
    return builder.select(builder.fcmp_ordered(">", value, high), high, value)


@intrinsic
def maximum(typing: Any, value: Any, low: Any) -> Any:
    """The larger of two vectors, number by number; NaN in ``value`` stays NaN."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return maximum_value(builder, *args)

    return value(value, value), generate


@intrinsic
def where_at_least(typing: Any, value: Any, tested: Any, limit: Any) -> Any:
    """``value`` where ``tested >= limit`` or ``tested`` is NaN, zero elsewhere."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(value)
        below = builder.fcmp_ordered("<", args[1], args[2])
        return builder.select(below, constant(kind, 0.0), args[0])

    return value(value, value, value), generate


@intrinsic
def where_below(typing: Any, value: Any, tested: Any, limit: Any) -> Any:
    """``value`` where ``tested < limit`` or ``tested`` is NaN, zero elsewhere."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(value)
        below = builder.fcmp_unordered("<", args[1], args[2])
        return builder.select(below, args[0], constant(kind, 0.0))

    return value(value, value, value), generate


@intrinsic
def first(typing: Any, value: Any, count: Any) -> Any:
    """The first ``count`` numbers of a vector, and zeros."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(value)
        return builder.select(_mask(context, builder, kind, args[1]), args[0], constant(kind, 0.0))

    return value(value, types.intp), generate


@intrinsic
def inverse_root(typing: Any, value: Any) -> Any:
    """1 / sqrt of a vector."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(value)
        root = call(builder, f"llvm.sqrt.{suffix(kind)}", kind, [args[0]])
        return builder.fdiv(constant(kind, 1.0), root)

    return value(value), generate


@intrinsic
def minimum(typing: Any, value: Any, high: Any) -> Any:
    """The smaller of two vectors, number by number; NaN in ``value`` stays NaN."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return minimum_value(builder, *args)

    return value(value, value), generate


#: Flush results to zero, and read arguments as zero, where they are denormal.
_FLUSH = 0x8040


@intrinsic
def flush_denormals(typing: Any) -> Any:
    """Take denormal numbers for zero from here on, and return what ``restore`` takes.

    They turn up wherever little weight meets small gradients, mean nothing there, and cost x86
    processors a hundred times an ordinary operation. Elsewhere this does nothing.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        mode = ir.IntType(32)
        if not _X86:
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
        if _X86:
            cell = cgutils.alloca_once_value(builder, args[0])
            call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [cell])
        return context.get_dummy_value()

    return types.void(types.int32), generate

"""LLVM's intermediate representation (IR) of what is done with vectors, for Numba's intrinsics."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils


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


def first_lanes(builder: Any, vector: ir.VectorType, count: ir.Value) -> ir.Value:
    """IR for a mask of the first ``count`` lanes of a vector."""
    bits = ir.IntType(32)
    numbers = ir.Constant(
        ir.VectorType(bits, vector.count),
        [ir.Constant(bits, lane) for lane in range(vector.count)],
    )
    limit = splat_value(builder, builder.trunc(count, bits), vector.count)
    return builder.icmp_signed("<", numbers, limit)


def halves(builder: Any, vector: ir.Value) -> tuple[ir.Value, ir.Value]:
    """IR for the lower and the upper half of a vector of two numbers or more."""
    count, bits = vector.type.count // 2, ir.IntType(32)

    def part(first: int) -> ir.Value:
        order = [ir.Constant(bits, lane) for lane in range(first, first + count)]
        mask = ir.Constant(ir.VectorType(bits, count), order)
        return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)

    return part(0), part(count)


def maximum_value(builder: Any, value: ir.Value, low: ir.Value) -> ir.Value:
    """IR for the larger of two vectors; NaN in ``value`` stays NaN."""
    return builder.select(builder.fcmp_ordered("<", value, low), low, value)


def minimum_value(builder: Any, value: ir.Value, high: ir.Value) -> ir.Value:
    """IR for the smaller of two vectors; NaN in ``value`` stays NaN."""
    return builder.select(builder.fcmp_ordered(">", value, high), high, value)

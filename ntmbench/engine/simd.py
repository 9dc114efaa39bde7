"""A vector type for Numba: as many numbers as one machine register holds.

LLVM's own vectoriser gives up if it cannot prove that arrays do not overlap, and in these kernels
it rarely can. So the kernels use vectors explicitly. A register holds half as many float64 as
float32 numbers.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

from .processor import REGISTER_BITS
from .vector_ir import (
    call,
    constant,
    first_lanes,
    maximum_value,
    minimum_value,
    splat_value,
    suffix,
)


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


@intrinsic
def lanes(typing: Any, array: Any) -> Any:
    """Numbers in one vector of the array's type."""
    count = VECTORS[array.dtype].lanes

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.get_constant(types.intp, count)

    return types.intp(array), generate


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


@intrinsic
def maximum(typing: Any, value: Any, low: Any) -> Any:
    """The larger of two vectors, number by number; NaN in ``value`` stays NaN."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return maximum_value(builder, *args)

    return value(value, value), generate


@intrinsic
def minimum(typing: Any, value: Any, high: Any) -> Any:
    """The smaller of two vectors, number by number; NaN in ``value`` stays NaN."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return minimum_value(builder, *args)

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
        return builder.select(first_lanes(builder, kind, args[1]), args[0], constant(kind, 0.0))

    return value(value, types.intp), generate


@intrinsic
def inverse_root(typing: Any, value: Any) -> Any:
    """1 / sqrt of a vector."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(value)
        root = call(builder, f"llvm.sqrt.{suffix(kind)}", kind, [args[0]])
        return builder.fdiv(constant(kind, 1.0), root)

    return value(value), generate

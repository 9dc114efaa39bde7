"""A vector type for Numba: as many numbers as fill 512 bits, on every processor.

LLVM's own vectoriser gives up if it cannot prove that arrays do not overlap, and in these kernels
it rarely can. So the kernels use vectors explicitly. A vector holds half as many float64 as float32
numbers.

Every operation here is one of IEEE 754, which fixes each digit of its result. LLVM may neither
reorder them, nor fuse a product and a sum, nor approximate a quotient or a root: without flags that
allow it, it does not. A product and a sum are fused where ``add_product`` or ``subtract_product``
says so.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

from .processor import VECTOR_BITS
from .vector_ir import (
    call,
    constant,
    first_lanes,
    fused,
    halves,
    maximum_value,
    minimum_value,
    splat_value,
    suffix,
)


class VectorType(types.Type):
    """One vector of ``dtype``."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        self.lanes = VECTOR_BITS // dtype.bitwidth
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
        return instruction(builder, *args)


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
def add_product(typing: Any, term: Any, a: Any, b: Any) -> Any:
    """``term + a * b``, rounded once."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        term, a, b = args
        return fused(builder, a, b, term)

    return term(term, term, term), generate


@intrinsic
def subtract_product(typing: Any, term: Any, a: Any, b: Any) -> Any:
    """``term - a * b``, rounded once."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        term, a, b = args
        return fused(builder, builder.fneg(a), b, term)

    return term(term, term, term), generate


def _folded(combine: Any, doc: str) -> Any:
    """An intrinsic that combines the upper half of a vector with the lower until one is left."""

    def typed(typing: Any, vector: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = args[0]
            while value.type.count > 1:
                value = combine(builder, *halves(builder, value))
            return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

        return vector.dtype(vector), generate

    typed.__doc__ = doc
    return intrinsic(typed)


total = _folded(ir.IRBuilder.fadd, "The sum of a vector's numbers, always in the same order.")
largest = _folded(maximum_value, "The largest of a vector's numbers.")


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

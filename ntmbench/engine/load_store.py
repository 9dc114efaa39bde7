"""Vectors from and to flat, C-contiguous arrays. Nothing here checks bounds."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .simd import VECTORS, VectorType
from .vector_ir import (
    call,
    constant,
    element_pointer,
    first_lanes,
    splat_value,
    suffix,
    vector_pointer,
)


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
def load_splat(typing: Any, array: Any, index: Any) -> Any:
    """A vector that repeats the number at an index, which is not negative.

    Numba lets a negative index count from the end, which costs four instructions for each number.
    """
    vector = VECTORS[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = element_pointer(context, builder, sig.args[0], *args)
        return splat_value(builder, builder.load(pointer), vector.lanes)

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


@intrinsic
def load_part(typing: Any, array: Any, index: Any, count: Any) -> Any:
    """The vector that begins at an index: its first ``count`` numbers, and zeros."""
    vector = VECTORS[array.dtype]

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        pointer = element_pointer(context, builder, sig.args[0], *args[:2])
        mask = first_lanes(builder, kind, args[2])
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
            first_lanes(builder, kind, args[3]),
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
            mask = first_lanes(
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


def _bytes(vector: VectorType) -> int:
    return int(vector.dtype.bitwidth) // 8

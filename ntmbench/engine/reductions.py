"""Sums of many vectors at once, by exchanging halves instead of folding each vector by itself."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .simd import VECTORS
from .vector_ir import element_pointer, vector_pointer


@intrinsic
def totals(typing: Any, array: Any, start: Any) -> Any:
    """A vector of the sums of as many consecutive vectors, always added in the same order."""
    vector = VECTORS[array.dtype]
    count = vector.lanes

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(vector)
        values = []
        for i in range(count):
            at = builder.add(args[1], ir.Constant(args[1].type, i * count))
            pointer = element_pointer(context, builder, sig.args[0], args[0], at)
            at_vector = vector_pointer(builder, pointer, kind)
            align = int(array.dtype.bitwidth) // 8
            values.append(builder.load(at_vector, align=align, typ=kind))
        width = count // 2  # lanes that lie between the two that are added
        while width:
            half = len(values) // 2
            values = [
                builder.fadd(
                    builder.shuffle_vector(values[i], values[i + half], _lanes(count, width, 0)),
                    builder.shuffle_vector(values[i], values[i + half], _lanes(count, width, 1)),
                )
                for i in range(half)
            ]
            width //= 2
        return values[0]

    return vector(array, types.intp), generate


def _lanes(count: int, width: int, odd: int) -> ir.Constant:
    """Every other group of ``width`` lanes of two vectors, those of each vector where they lie.

    A vector's sums stay in the groups of lanes that belong to it: the first vector's groups go to
    even places, the second's to odd ones.
    """
    order = []
    for lane in range(count):
        group, place = divmod(lane, width)
        second = group % 2
        order.append(second * count + (group - second + odd) * width + place)
    integer = ir.IntType(32)
    return ir.Constant(ir.VectorType(integer, count), [ir.Constant(integer, i) for i in order])

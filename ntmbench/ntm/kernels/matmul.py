"""Matrix products of flat arrays, block by block in registers.

Every element of a product is the sum of its terms in order, whatever the block that computes it:
a row's result does not depend on the rows beside it, nor on the threads that share the work.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import compiled
from .simd import (
    REGISTERS,
    VECTORS,
    element_pointer,
    fused,
    lanes,
    splat_value,
    vector_pointer,
)


def _block(rows: int, vectors: int) -> Any:
    """The product of ``rows`` rows of A and ``vectors`` vectors of columns of B, as an intrinsic.

    Element (i, k) of A stands at ``a_start + i * a_row + k * a_step``, and vector v of row k of B
    at ``b_start + v * b_vector + k * b_step``. The result goes to rows ``c_row`` apart, added to
    what is there if ``more``.
    """

    def block(
        typing: Any,
        a: Any,
        a_start: Any,
        a_row: Any,
        a_step: Any,
        b: Any,
        b_start: Any,
        b_vector: Any,
        b_step: Any,
        c: Any,
        c_start: Any,
        c_row: Any,
        steps: Any,
        more: Any,
    ) -> Any:
        vector = VECTORS[a.dtype]
        integer = types.intp

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            kind = context.get_value_type(vector)
            align = vector.dtype.bitwidth // 8
            (
                _,
                a0,
                a_row,
                a_step,
                _,
                b0,
                b_vector,
                b_step,
                _,
                c0,
                c_row,
                steps,
                more,
            ) = args
            a_base = element_pointer(context, builder, sig.args[0], args[0], a0)
            b_base = element_pointer(context, builder, sig.args[4], args[4], b0)
            c_base = element_pointer(context, builder, sig.args[8], args[8], c0)

            def offset(index: int, stride: ir.Value) -> ir.Value:
                return builder.mul(ir.Constant(stride.type, index), stride)

            targets = [
                vector_pointer(
                    builder,
                    builder.gep(
                        c_base,
                        [
                            builder.add(
                                offset(i, c_row),
                                ir.Constant(c_row.type, v * vector.lanes),
                            )
                        ],
                    ),
                    kind,
                )
                for i in range(rows)
                for v in range(vectors)
            ]
            cells = [cgutils.alloca_once(builder, kind) for _ in targets]
            with builder.if_else(more) as (then, otherwise):
                with then:
                    for cell, target in zip(cells, targets, strict=True):
                        builder.store(builder.load(target, align=align, typ=kind), cell)
                with otherwise:
                    for cell in cells:
                        builder.store(ir.Constant(kind, None), cell)
            with cgutils.for_range(builder, steps) as loop:
                b_index = builder.mul(loop.index, b_step)
                a_index = builder.mul(loop.index, a_step)
                columns = [
                    builder.load(
                        vector_pointer(
                            builder,
                            builder.gep(b_base, [builder.add(b_index, offset(v, b_vector))]),
                            kind,
                        ),
                        align=align,
                        typ=kind,
                    )
                    for v in range(vectors)
                ]
                for i in range(rows):
                    pointer = builder.gep(a_base, [builder.add(a_index, offset(i, a_row))])
                    value = splat_value(builder, builder.load(pointer), vector.lanes)
                    for v in range(vectors):
                        cell = cells[i * vectors + v]
                        term = fused(builder, value, columns[v], builder.load(cell))
                        builder.store(term, cell)
            for cell, target in zip(cells, targets, strict=True):
                builder.store(builder.load(cell), target, align=align)
            return context.get_dummy_value()

        numbers = (integer, integer, integer)
        return (
            types.void(a, *numbers, b, *numbers, c, integer, integer, integer, types.boolean),
            generate,
        )

    block.__doc__ = f"A block of {rows} rows by {vectors} vectors."
    return intrinsic(block)


# The widest block for each number of rows keeps its sums in the registers and leaves room for a
# row of B; narrower ones take the remainder.
_FEW = REGISTERS == 16
_WIDE_8, _WIDE_4, _WIDE_2, _WIDE_1 = (1, 3, 4, 8) if _FEW else (3, 6, 8, 8)
_block_8_wide, _block_8 = _block(8, _WIDE_8), _block(8, 1)
_block_4_wide, _block_4 = _block(4, _WIDE_4), _block(4, 1)
_block_2_wide, _block_2 = _block(2, _WIDE_2), _block(2, 1)
_block_1_wide, _block_1_half, _block_1 = _block(1, _WIDE_1), _block(1, 4), _block(1, 1)


@compiled
def multiply(
    a: Any,
    a_start: int,
    a_row: int,
    a_step: int,
    b: Any,
    b_start: int,
    b_vector: int,
    b_step: int,
    c: Any,
    c_start: int,
    c_row: int,
    rows: int,
    vectors: int,
    steps: int,
    more: bool,
) -> None:
    """C = A B, or C += A B if ``more``, for any number of rows and vectors of columns.

    Element (i, k) of A stands at ``a_start + i * a_row + k * a_step``, and vector v of row k of B
    at ``b_start + v * b_vector + k * b_step``; C's rows are ``c_row`` apart and as long as
    ``vectors`` vectors.
    """
    width = lanes(a)
    i = 0
    while i < rows:
        left = rows - i
        a_at = a_start + i * a_row
        c_at = c_start + i * c_row
        v = 0
        if left >= 8:
            while v + _WIDE_8 <= vectors:
                _block_8_wide(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += _WIDE_8
            while v < vectors:
                _block_8(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += 1
            i += 8
        elif left >= 4:
            while v + _WIDE_4 <= vectors:
                _block_4_wide(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += _WIDE_4
            while v < vectors:
                _block_4(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += 1
            i += 4
        elif left >= 2:
            while v + _WIDE_2 <= vectors:
                _block_2_wide(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += _WIDE_2
            while v < vectors:
                _block_2(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += 1
            i += 2
        else:
            while v + _WIDE_1 <= vectors:
                _block_1_wide(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += _WIDE_1
            while v + 4 <= vectors:
                _block_1_half(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += 4
            while v < vectors:
                _block_1(
                    a,
                    a_at,
                    a_row,
                    a_step,
                    b,
                    b_start + v * b_vector,
                    b_vector,
                    b_step,
                    c,
                    c_at + v * width,
                    c_row,
                    steps,
                    more,
                )
                v += 1
            i += 1

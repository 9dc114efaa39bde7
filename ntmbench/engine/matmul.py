"""Matrix products of flat arrays, block by block in registers.

Every element of a product is the sum of its terms in order, whichever block computes it. So a row's
result depends neither on the rows beside it nor on the threads that share the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import compiled
from .processor import REGISTER_BITS, REGISTERS, VECTOR_BITS
from .simd import VECTORS
from .vector_ir import element_pointer, fused, splat_value, vector_pointer


@dataclass(frozen=True)
class _Product:
    """IR values of a product of a few rows: C = A B, or C += A B if ``more``."""

    a: ir.Value  # address of the first row's first element
    a_row: ir.Value
    a_step: ir.Value
    b: ir.Value
    b_vector: ir.Value
    b_step: ir.Value
    c: ir.Value
    c_row: ir.Value
    steps: ir.Value
    more: ir.Value
    kind: ir.VectorType
    align: int

    def vector(self, builder: Any, base: ir.Value, index: ir.Value) -> ir.Value:
        """The address of a vector that begins at an element."""
        return vector_pointer(builder, builder.gep(base, [index]), self.kind)

    def block(self, builder: Any, rows: int, vectors: int, first: ir.Value) -> None:
        """IR for ``rows`` rows of ``vectors`` vectors from vector ``first`` on, in registers."""
        integer = first.type
        lanes = ir.Constant(integer, self.kind.count)
        numbers = [builder.add(first, ir.Constant(integer, v)) for v in range(vectors)]
        places = [
            self.vector(
                builder,
                self.c,
                builder.add(
                    builder.mul(ir.Constant(integer, i), self.c_row), builder.mul(v, lanes)
                ),
            )
            for i in range(rows)
            for v in numbers
        ]
        sums = [cgutils.alloca_once(builder, self.kind) for _ in places]
        with builder.if_else(self.more) as (then, otherwise):
            with then:
                for cell, place in zip(sums, places, strict=True):
                    builder.store(builder.load(place, align=self.align, typ=self.kind), cell)
            with otherwise:
                for cell in sums:
                    builder.store(ir.Constant(self.kind, None), cell)
        columns = [builder.mul(v, self.b_vector) for v in numbers]
        with cgutils.for_range(builder, self.steps) as loop:
            b_at = builder.mul(loop.index, self.b_step)
            a_at = builder.mul(loop.index, self.a_step)
            row_of_b = [
                builder.load(
                    self.vector(builder, self.b, builder.add(b_at, column)),
                    align=self.align,
                    typ=self.kind,
                )
                for column in columns
            ]
            for i in range(rows):
                at = builder.add(a_at, builder.mul(ir.Constant(integer, i), self.a_row))
                value = builder.load(builder.gep(self.a, [at]))
                value = splat_value(builder, value, self.kind.count)
                for v in range(vectors):
                    cell = sums[i * vectors + v]
                    builder.store(fused(builder, value, row_of_b[v], builder.load(cell)), cell)
        for cell, place in zip(sums, places, strict=True):
            builder.store(builder.load(cell), place, align=self.align)


def _rows(rows: int, widths: tuple[int, ...]) -> Any:
    """The product of ``rows`` rows, in blocks as wide as ``widths`` allow, widest first."""

    def product(
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
        vectors: Any,
        steps: Any,
        more: Any,
    ) -> Any:
        vector = VECTORS[a.dtype]
        number = types.intp
        sig = types.void(
            *(a, number, number, number),
            *(b, number, number, number),
            *(c, number, number),
            *(number, number, types.boolean),
        )

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            a, a_start, a_row, a_step, b, b_start, b_vector, b_step, c, c_start, c_row = args[:11]
            vectors, steps, more = args[11:]
            product = _Product(
                a=element_pointer(context, builder, sig.args[0], a, a_start),
                a_row=a_row,
                a_step=a_step,
                b=element_pointer(context, builder, sig.args[4], b, b_start),
                b_vector=b_vector,
                b_step=b_step,
                c=element_pointer(context, builder, sig.args[8], c, c_start),
                c_row=c_row,
                steps=steps,
                more=more,
                kind=context.get_value_type(vector),
                align=vector.dtype.bitwidth // 8,
            )
            done = cgutils.alloca_once_value(builder, ir.Constant(vectors.type, 0))
            for width in widths:
                step = ir.Constant(vectors.type, width)
                left = builder.sub(vectors, builder.load(done))
                with cgutils.for_range(builder, builder.sdiv(left, step)):
                    first = builder.load(done)
                    product.block(builder, rows, width, first)
                    builder.store(builder.add(first, step), done)
            return context.get_dummy_value()

        return sig, generate

    product.__doc__ = f"The product of {rows} rows."
    return intrinsic(product)


#: Vectors that fit the registers.
_ROOM = REGISTERS * REGISTER_BITS // VECTOR_BITS
#: Rows of the largest block.
_MOST_ROWS = 8 if _ROOM >= 32 else 4

# The widest block of each number of rows keeps its sums in registers, beside a row of B. How a
# product is cut into blocks changes no digit.
if _ROOM >= 32:
    _rows_8, _rows_4, _rows_2, _rows_1 = (
        _rows(8, (3, 1)),
        _rows(4, (6, 1)),
        _rows(2, (8, 1)),
        _rows(1, (8, 4, 1)),
    )
else:
    _rows_8, _rows_4, _rows_2, _rows_1 = (
        _rows(8, (1,)),  # never called
        _rows(4, (1,)),
        _rows(2, (2, 1)),
        _rows(1, (4, 1)),
    )


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
    row = 0
    while row < rows:
        left = rows - row
        a_at, c_at = a_start + row * a_row, c_start + row * c_row
        if left >= 8 and _MOST_ROWS == 8:
            _rows_8(
                a, a_at, a_row, a_step, b, b_start, b_vector, b_step, c, c_at, c_row,
                vectors, steps, more,
            )  # fmt: skip
            row += 8
        elif left >= 4:
            _rows_4(
                a, a_at, a_row, a_step, b, b_start, b_vector, b_step, c, c_at, c_row,
                vectors, steps, more,
            )  # fmt: skip
            row += 4
        elif left >= 2:
            _rows_2(
                a, a_at, a_row, a_step, b, b_start, b_vector, b_step, c, c_at, c_row,
                vectors, steps, more,
            )  # fmt: skip
            row += 2
        else:
            _rows_1(
                a, a_at, a_row, a_step, b, b_start, b_vector, b_step, c, c_at, c_row,
                vectors, steps, more,
            )  # fmt: skip
            row += 1

"""Gradients of the weights: one product over all steps and sequences for each matrix."""

from __future__ import annotations

from typing import Any

from .jit import kernel
from .matmul import multiply

#: Steps and sequences in one stretch of the sum: what both factors take fits the cache.
_STRETCH = 256


@kernel
def accumulate(
    a: Any,
    a_start: int,
    a_row: int,
    b: Any,
    b_start: int,
    b_row: int,
    c: Any,
    c_start: int,
    c_row: int,
    begin: int,
    end: int,
    vectors: int,
    steps: int,
) -> None:
    """Rows ``begin`` to ``end`` of A.T B: row k of A at ``a_start + k * a_row``, B alike."""
    for start in range(0, steps, _STRETCH):
        multiply(
            a, a_start + start * a_row + begin, 1, a_row,
            b, b_start + start * b_row, c_row // vectors, b_row,
            c, c_start + begin * c_row, c_row,
            end - begin, vectors, min(_STRETCH, steps - start), start > 0,
        )  # fmt: skip

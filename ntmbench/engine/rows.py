"""Elementary passes over stretches of flat arrays."""

from __future__ import annotations

from typing import Any

from .jit import compiled
from .load_store import load, load_part, store, store_part
from .simd import add_product, lanes, splat, total


@compiled
def fill(array: Any, start: int, count: int, value: float) -> None:
    """Set ``count`` numbers, a whole number of vectors."""
    vector = splat(array, value)
    for i in range(start, start + count, lanes(array)):
        store(array, i, vector)


@compiled
def copy(source: Any, start: int, target: Any, to: int, count: int) -> None:
    """Copy ``count`` numbers."""
    for i in range(0, count, lanes(source)):
        store_part(target, to + i, load_part(source, start + i, count - i), count - i)


@compiled
def copy_vectors(source: Any, start: int, target: Any, to: int, count: int) -> None:
    """Copy ``count`` numbers, a whole number of vectors."""
    for i in range(0, count, lanes(source)):
        store(target, to + i, load(source, start + i))


@compiled
def dot(a: Any, a_start: int, b: Any, b_start: int, count: int) -> Any:
    """The inner product of two stretches of ``count`` numbers."""
    sums = splat(a, 0.0)
    for i in range(0, count, lanes(a)):
        left, right = load_part(a, a_start + i, count - i), load_part(b, b_start + i, count - i)
        sums = add_product(sums, left, right)
    return total(sums)


@compiled
def add_part(source: Any, start: int, target: Any, to: int, count: int) -> None:
    """Add ``count`` numbers to others."""
    for i in range(0, count, lanes(source)):
        value = load_part(target, to + i, count - i) + load_part(source, start + i, count - i)
        store_part(target, to + i, value, count - i)


@compiled
def fill_part(array: Any, start: int, count: int, value: float) -> None:
    """Set ``count`` numbers."""
    vector = splat(array, value)
    for i in range(0, count, lanes(array)):
        store_part(array, start + i, vector, count - i)

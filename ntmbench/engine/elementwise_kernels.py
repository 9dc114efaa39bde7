"""The kernels of ``elementwise``: flat arrays, changed in place."""

from __future__ import annotations

from typing import Any

from .jit import kernel
from .load_store import load_part, store_part
from .simd import lanes, splat
from .softmax import exponentials, softmax, softmax_backward
from .vectormath import log, sigmoid, softplus

_kernel = kernel("the loss", 2)


@_kernel
def sigmoids(values: Any) -> None:
    """Replace every number by its sigmoid."""
    for i in range(0, values.size, lanes(values)):
        count = values.size - i
        store_part(values, i, sigmoid(load_part(values, i, count)), count)


@_kernel
def softpluses(values: Any) -> None:
    """Replace every number by its softplus."""
    for i in range(0, values.size, lanes(values)):
        count = values.size - i
        store_part(values, i, softplus(load_part(values, i, count)), count)


@_kernel
def softmaxes(values: Any, width: int) -> None:
    """Replace each row of ``width`` numbers by its softmax."""
    for start in range(0, values.size, width):
        softmax(values, start, width)


@_kernel
def softmaxes_backward(values: Any, width: int, slopes: Any) -> None:
    """Replace each row of a softmax's results by the gradients of its arguments."""
    for start in range(0, values.size, width):
        softmax_backward(values, start, slopes, start, width)


@_kernel
def log_sums(values: Any, width: int, results: Any) -> None:
    """Write the logarithm of the sum of each row's exponentials, and use up the rows."""
    for row in range(results.size):
        top, total = exponentials(values, row * width, width)
        store_part(results, row, splat(values, top) + log(splat(values, total)), 1)

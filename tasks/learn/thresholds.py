"""Threshold functions of bits, and which of them agree with examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.task import FloatArray

Bits = NDArray[np.uint8]


def says_yes(wishes: Bits, bits: Bits) -> NDArray[np.bool_]:
    """Whether most ``bits [..., B, n]`` are as the function ``wishes [B, n]``."""
    most: NDArray[np.bool_] = 2 * (bits == wishes).sum(axis=-1) > wishes.shape[-1]
    return most


def all_answers(bits: FloatArray) -> NDArray[np.bool_]:
    """What each of the F = 2^n functions says to ``bits [T, B, n]``: ``[F, T, B]``."""
    functions = _vectors(bits.shape[-1])
    table = says_yes(functions, functions[:, np.newaxis]).T  # [F, 2^n]
    answers: NDArray[np.bool_] = table[:, _number(bits)]
    return answers


def _vectors(bits: int) -> Bits:
    """All vectors ``[2^bits, bits]``, in the order of the binary numbers that they are."""
    return (np.arange(2**bits)[:, np.newaxis] >> np.arange(bits) & 1).astype(np.uint8)


def _number(vectors: FloatArray) -> Integers:
    """The binary number ``[...]`` that each vector ``[..., bits]`` is."""
    number: Integers = vectors.astype(np.int64) @ (1 << np.arange(vectors.shape[-1]))
    return number

"""Bracketed expressions: how they are written, calculated, and how likely each result is.

An expression is a column of symbols: the numbers below the modulus, and then the signs.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers

#: The words of the signs after the numbers, and their places among them.
SIGNS = ("+", "-", "*", "(", ")", "=")
PLUS, MINUS, TIMES, OPEN, CLOSE, EQUAL = range(6)

#: Nothing more is to come on the right side of a bracket.
DONE = -1

Floats = NDArray[np.float64]


def written(split: Floats, number: Integers, operator: Integers, modulus: int) -> Integers:
    """Expressions ``[4L + 2, B]`` of L operators, the sign ``=`` included.

    Each sequence has a stack of its open brackets: how many operators are still to come on the
    right side of each, or DONE if that side has begun.

    Args:
        split: uniform numbers ``[L, B]`` between 0 and 1, which divide the operators of a bracket.
        number: ``[L + 1, B]``.
        operator: ``[L, B]``.
        modulus: the number of numbers.
    """
    length, batch_size = operator.shape
    sequence = np.arange(batch_size)
    shown = np.full((4 * length + 2, batch_size), modulus + EQUAL)
    right = np.full((length + 1, batch_size), DONE)
    depth, opened, numbers, signs = np.zeros((4, batch_size), np.int64)
    coming = np.full(batch_size, length)  # operators of the next part; DONE if a part has ended
    for step in range(4 * length + 1):
        ended = coming == DONE
        waiting = right[depth, sequence]
        opens, ends = coming > 0, coming == 0
        applies, closes = ended & (waiting != DONE), ended & (waiting == DONE)
        next_number = number[numbers.clip(max=length), sequence]
        next_sign = modulus + operator[signs.clip(max=length - 1), sequence]
        bracket = modulus + np.where(opens, OPEN, CLOSE)
        shown[step] = np.where(ends, next_number, np.where(applies, next_sign, bracket))
        left = (split[opened.clip(max=length - 1), sequence] * coming).astype(np.int64)
        depth += opens
        right[depth[opens], sequence[opens]] = (coming - 1 - left)[opens]
        right[depth[applies], sequence[applies]] = DONE
        depth -= closes
        coming = np.where(opens, left, np.where(applies, waiting, DONE))
        opened, numbers, signs = opened + opens, numbers + ends, signs + applies
    return shown


def result(shown: Integers, modulus: int) -> Integers:
    """The results ``[1, B]`` of expressions ``[S, B]``, by stacks of numbers and of operators."""
    steps, batch_size = shown.shape
    sequence = np.arange(batch_size)
    value, operator = np.zeros((2, steps + 2, batch_size), np.int64)
    depth = np.ones(batch_size, np.int64)  # below the numbers is one that is never used
    pending = np.zeros(batch_size, np.int64)
    for symbol in shown:
        number = symbol < modulus
        depth += number
        value[depth[number], sequence[number]] = symbol[number]
        sign = symbol - modulus
        applies, closes = (sign >= PLUS) & (sign <= TIMES), sign == CLOSE
        operator[pending[applies], sequence[applies]] = sign[applies]
        pending += applies
        pending -= closes
        one, other = value[depth - 1, sequence], value[depth, sequence]
        results = np.stack([one + other, one - other, one * other]) % modulus
        found = results[operator[pending, sequence], sequence]
        depth -= closes
        value[depth[closes], sequence[closes]] = found[closes]
    last: Integers = value[depth, sequence][np.newaxis]
    return last


@lru_cache(maxsize=256)
def likely_results(modulus: int, operators: int) -> Floats:
    """How likely each result is of an expression of so many operators, ``[modulus]``."""
    one, other = np.arange(modulus)[:, np.newaxis], np.arange(modulus)
    tables = np.stack([one + other, one - other, one * other]) % modulus
    found = [np.full(modulus, 1 / modulus)]
    for count in range(1, operators + 1):
        parts = np.stack(found)
        pairs = parts.T @ parts[::-1] / count  # of the results left and right
        shares = np.bincount(tables.ravel(), np.tile(pairs.ravel(), len(tables)), modulus)
        found.append(shares / len(tables))
    return found[operators]

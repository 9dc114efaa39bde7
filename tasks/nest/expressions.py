"""Bracketed expressions: how they are written, calculated, and how likely each result is.

An expression is a column of symbols: the numbers below the modulus, and then the signs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

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
    # Sequences that have used up theirs look one place further.
    split, number, sign = (_with_one_more(each) for each in (split, number, modulus + operator))
    depth, opened, numbers, signs = np.zeros((4, batch_size), np.int64)
    coming = np.full(batch_size, length)  # operators of the next part; DONE if a part has ended
    for step in range(4 * length + 1):
        ended = coming == DONE
        waiting = right[depth, sequence]
        opens, ends = coming > 0, coming == 0
        applies, closes = ended & (waiting != DONE), ended & (waiting == DONE)
        bracket = np.where(opens, modulus + OPEN, modulus + CLOSE)
        next_sign = np.where(applies, sign[signs, sequence], bracket)
        shown[step] = np.where(ends, number[numbers, sequence], next_sign)
        left = (split[opened, sequence] * coming).astype(np.int64)
        depth += opens
        changed = (opens | applies).nonzero()[0]
        right[depth[changed], changed] = np.where(opens, coming - 1 - left, DONE)[changed]
        depth -= closes
        coming = np.where(opens, left, np.where(applies, waiting, DONE))
        opened += opens
        numbers += ends
        signs += applies
    return shown


def result(shown: Integers, modulus: int) -> Integers:
    """The results ``[1, B]`` of expressions ``[S, B]``, by stacks of numbers and of operators."""
    steps, batch_size = shown.shape
    value, operator = np.zeros((2, steps + 2, batch_size), np.int64)
    depth = np.ones(batch_size, np.int64)  # below the numbers is one that is never used
    pending = np.zeros(batch_size, np.int64)
    for symbol in shown:
        sign = symbol - modulus
        number = (sign < 0).nonzero()[0]
        depth[number] += 1
        value[depth[number], number] = symbol[number]
        applied = ((sign >= PLUS) & (sign <= TIMES)).nonzero()[0]
        operator[pending[applied], applied] = sign[applied]
        pending[applied] += 1
        closed = (sign == CLOSE).nonzero()[0]
        pending[closed] -= 1
        depth[closed] -= 1
        place = depth[closed]
        one, other = value[place, closed], value[place + 1, closed]
        by = operator[pending[closed], closed]
        found = np.where(by == TIMES, one * other, one + np.where(by == MINUS, -other, other))
        value[place, closed] = found % modulus
    last: Integers = value[depth, np.arange(batch_size)][np.newaxis]
    return last


def _with_one_more(rows: NDArray[Any]) -> NDArray[Any]:
    """The rows ``[L, B]`` and another one of zeros."""
    return np.concatenate([rows, np.zeros_like(rows[:1])])


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

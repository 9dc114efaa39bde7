"""Items in a row, after one of which is asked: what follows it, and other questions of the kind.

Items are ``[L, K, B, bits]``, L of K vectors each, and the query is one of them, ``[K, B, bits]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers

Vectors = NDArray[np.generic]


def picked(items: Vectors, which: Integers) -> Vectors:
    """The item ``[K, B, bits]`` at ``which [B]`` of each sequence."""
    return items[which, :, np.arange(items.shape[2])].swapaxes(0, 1)


def matches(items: Vectors, query: Vectors) -> NDArray[np.bool_]:
    """Which of the items equal the query, ``[L, B]``."""
    same: NDArray[np.bool_] = (items == query).all(axis=(1, 3))
    return same


def following(items: Vectors, query: Vectors) -> Integers:
    """Which of the items ``[B]`` follows the first one that equals the query."""
    found: Integers = matches(items, query).argmax(axis=0) + 1
    return found


def other_questions(items: Vectors, query: Vectors) -> Iterator[tuple[Vectors, Vectors]]:
    """Items and queries with a vector inverted, items replaced or exchanged, another one asked for.

    What follows the other one that is asked for becomes the inverse of the answer, if it comes
    later. Some of these questions have no answer.
    """
    length, vectors, *_ = items.shape
    for place in product(range(length), range(vectors)):
        inverted = items.copy()
        inverted[place] = 1 - items[place]
        yield inverted, query
    for one, other in permutations(range(length), 2):
        order = np.arange(length)
        order[one] = other
        yield items[order], query
        order[other] = one
        yield items[order], query
    answer = following(items, query)
    for asked in range(length - 1):
        otherwise = items.copy()
        later = (asked >= answer)[:, np.newaxis]
        otherwise[asked + 1] = np.where(later, 1 - picked(items, answer), items[asked + 1])
        yield otherwise, items[asked]

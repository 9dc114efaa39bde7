"""Ways from one person of a family to another: the facts that lead there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.randomness import RandomWords
from ntmbench.tasks.reason.relations import AFTER, FACTS, NOBODY, RELATION


def steps_back(facts: int) -> NDArray[np.float64]:
    """The number of ways from the first person to each state by each last fact.

    Returns ``[facts + 1, state, state before, fact]``; for no fact all are 0.
    """
    made = np.arange(len(AFTER))[:, np.newaxis, np.newaxis] == AFTER  # [state, before, fact]
    reached = np.eye(len(AFTER))[0]
    found = [np.zeros(made.shape)]
    for _ in range(facts):
        found.append(made * reached[:, np.newaxis])
        reached = found[-1].sum(axis=(1, 2))
    return np.stack(found)


def reached_by(facts: Integers) -> Integers:
    """The state ``[B]`` that facts ``[L, B]`` lead to; NOBODY if one of them may not follow."""
    state = np.zeros(facts.shape[1], int)
    for fact in facts:
        state = np.where(state == NOBODY, NOBODY, AFTER[state, fact])
    return state


def drawn_ways(words: RandomWords, batch_size: int, length: int) -> tuple[Integers, Integers]:
    """Draw what L facts lead to ``[B]`` and a way there: the facts ``[L, B]``, in order."""
    counts = steps_back(length)
    reached = counts[length].sum(axis=(1, 2))
    kinds = np.unique(RELATION[reached > 0])
    kind = kinds[words.integers(0, len(kinds) - 1, batch_size)]
    state = _chosen(words, np.where(kind[:, np.newaxis] == RELATION, reached, 0))
    last, way = state, list[Integers]()
    for step in range(length, 0, -1):
        before, fact = divmod(
            _chosen(words, counts[step, state].reshape(batch_size, -1)), len(FACTS)
        )
        way.insert(0, fact)
        state = before
    return last, np.stack(way)


def _chosen(words: RandomWords, weights: NDArray[np.float64]) -> Integers:
    """A column ``[B]`` of each row of ``weights [B, K]``, with chances in proportion to them."""
    sums = weights.cumsum(axis=1)
    found: Integers = (words.uniform(len(weights), 1) * sums[:, -1:] >= sums).sum(axis=1)
    return found

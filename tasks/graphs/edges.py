"""Edges between named nodes: how they are told, and how far apart they leave nodes.

An edge has K words, of which the first and the last one are its nodes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.randomness import RandomWords

Joined = NDArray[np.bool_]


def told(words: RandomWords, edges: Integers, name: Integers) -> Integers:
    """The words ``[E K, B]`` of edges ``[E, K, B]``, in any order, and each from either end.

    ``name [nodes, B]`` is the symbol of each node.
    """
    count, _, batch_size = edges.shape
    named = edges.copy()
    for end in (0, -1):
        named[:, end] = np.take_along_axis(name, edges[:, end], axis=0)
    turned = words.bits(count, 1, batch_size) == 1
    order = words.uniform(count, 1, batch_size).argsort(axis=0, kind="stable")
    either = np.where(turned, named[:, ::-1], named)
    return np.take_along_axis(either, order, axis=0).reshape(-1, batch_size)


def joined(edges: Integers, nodes: int) -> Joined:
    """Whether an edge joins two nodes, ``[B, nodes, nodes]``, for edges ``[E, K, B]``."""
    sequences = np.arange(edges.shape[2])
    found = np.zeros((len(sequences), nodes, nodes), bool)
    for edge in edges:
        found[sequences, edge[0], edge[-1]] = found[sequences, edge[-1], edge[0]] = True
    return found


def distances(graph: Joined, goal: Integers) -> Integers:
    """The fewest edges from each node to ``goal [B]``: ``[B, nodes]``.

    Nodes from which no way leads there are as far off as there are nodes.
    """
    nodes = graph.shape[1]
    reached = np.arange(nodes) == goal[:, np.newaxis]
    found = np.where(reached, 0, nodes)
    for edges in range(1, nodes):
        beside = (graph @ reached[..., np.newaxis])[..., 0]
        if not (beside & ~reached).any():
            break
        found[beside & ~reached] = edges
        reached |= beside
    return found

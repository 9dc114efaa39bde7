"""Graphs of layers with labelled edges, and the shortest way through them."""

from __future__ import annotations

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.randomness import RandomWords
from ntmbench.tasks.graphs.edges import distances, joined


def layered_edges(
    words: RandomWords, batch_size: int, length: int, width: int, *, label: int
) -> Integers:
    """Draw edges ``[E, 3, B]``: a node, a label, which are counted from ``label`` on, and a node.

    Node 0 is the start, and the ``length`` layers have ``width`` nodes each, the first one from 1
    on. Every node has an edge to one of the layer before, and one in each layer but the first to a
    second one. The labels of a node's edges to the next layer are distinct.
    """
    before = words.integers(0, width - 1, length, width, batch_size)  # for each node
    before[0] = 0
    twice = words.integers(0, width - 1, length, batch_size)
    another = words.integers(1, width - 1, length, batch_size)
    another = (another + np.take_along_axis(before, twice[:, np.newaxis], axis=1)[:, 0]) % width
    layers, nodes = np.indices(before.shape)[:2]
    layer = np.concatenate([layers.reshape(-1, batch_size), layers[1:, 0]])
    node = np.concatenate([nodes.reshape(-1, batch_size), twice[1:]])
    before = np.concatenate([before.reshape(-1, batch_size), another[1:]])
    labels = words.uniform(width, length, width, batch_size).argsort(axis=0, kind="stable")
    above = np.where(layer > 0, 1 + (layer - 1) * width + before, 0)
    chosen = label + labels[node, layer, before, np.arange(batch_size)]
    return np.stack([above, chosen, 1 + layer * width + node], axis=1)


def nodes_between(question: Integers, count: int, names: int) -> Integers:
    """The ``count`` nodes ``[count, B]`` between the two that questions ``[Q, B]`` end with.

    They are on the shortest way, and of several such ways on the one with the smallest labels.
    """
    edges = question[:-3].reshape(-1, 3, question.shape[1])
    here, goal = question[-2:]
    sequences, graph = np.arange(len(goal)), joined(edges, names)
    label = np.zeros(graph.shape, np.int64)
    for one, of, other in edges:
        label[sequences, one, other] = label[sequences, other, one] = of
    left, way = distances(graph, goal), []
    for _ in range(count):
        nearer = left == left[sequences, here][:, np.newaxis] - 1
        possible = graph[sequences, here] & nearer
        here = np.where(possible, label[sequences, here], label.max() + 1).argmin(axis=1)
        way.append(here)
    return np.stack(way)

"""Shortest path: name the nodes between two nodes of a graph, by the way with the fewest edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.answer import Chance
from ntmbench.data.choices import distinct
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of, then_answer
from ntmbench.data.vocabulary import made_up
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts

#: The fewest edges of a way with a node between its ends.
FEWEST = 2


@register_task("shortest_path")
@dataclass(frozen=True)
class ShortestPath(SymbolTask):
    """Name the nodes between two nodes, on the way of L edges that is the shortest (DNC).

    ``a b , c b , c d , b e ? a d -> b c``, without the commas: from a by b and c to d.

    An edge has two steps, its two nodes. A question mark, the start and the goal follow, and then
    the L - 1 nodes between them are asked for, in order, while the input is silent. With W nodes
    in a layer, T = 2 L (W + 1) + 3 + L - 1.

    The start is the root of a tree of L layers with W nodes each. Every node has its parent drawn
    uniformly from the layer before, and the goal is uniform in the last layer. One more edge in
    each layer joins two of its nodes, so that there are longer ways too. The nodes' names are
    distinct, and uniform; so are the order of the edges, and that of an edge's nodes.

    The source (Graves et al. 2016) draws random graphs with labelled, directed edges, and takes
    any of the shortest ways; here there is one alone, so that the answer is fixed and no name is
    likelier than another. Sources are not defined: an edge that is not there could make a shorter
    way.

    A way of two edges (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = ShortestPath(width=2)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        zude ruza paki ruza dupo baba zude paki zude baba dupo ruza ? paki baba [zude]
    """

    #: Number of different names, at least as many as nodes.
    names: int = 32
    #: Nodes of a layer, W.
    width: int = 3
    #: Fewest edges of the way in training.
    min_length: int = 2
    #: Most edges of the way in training.
    max_length: int = 4

    family = "graphs"
    axis = "edges of the way"
    version = 1
    lengths = Lengths(4, test=(2, 4, 6, 8, 10), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("names", self.names, fewest=2 * FEWEST + 1)
        check_range("task.width", self.width, 2, (self.names - 1) // FEWEST)
        check_range("task.max_length", self.max_length, FEWEST, self.longest_length)
        check_length_range(self.min_length, self.max_length, shortest=FEWEST)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the nodes, and the question mark."""
        return (*made_up(self.names), "?")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the nodes."""
        return made_up(self.names)

    @property
    def shortest_length(self) -> int:
        """A way with a node between its ends."""
        return FEWEST

    @property
    def longest_length(self) -> int:
        """The most layers for which there are names."""
        return (self.names - 1) // self.width

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the tree, the other edges, the names, the order of what is told, and the goal."""
        width, layers = self.width, np.arange(length)[:, np.newaxis, np.newaxis]
        # Node 0 is the start; layer i has nodes 1 + i W and so on.
        first = 1 + width * layers  # [L, 1, 1]
        node = first + np.arange(width)[np.newaxis, :, np.newaxis]  # [L, W, 1]
        parent = words.integers(0, width - 1, length * width, batch_size)
        parent = first - width + parent.reshape(length, width, batch_size)
        parent[0] = 0
        one = words.integers(0, width - 1, length, batch_size)
        shift = 1 + (words.uniform(length, batch_size) * (width - 1)).astype(np.int64)
        other = (one + shift) % width
        tree = np.stack([parent, node + 0 * parent]).reshape(2, -1, batch_size)
        beside = first[:, :, 0] + np.stack([one, other])  # [2, L, B]
        edges = np.concatenate([tree, beside], axis=1)  # [2, E, B]
        count = edges.shape[1]
        turned = words.bits(count, batch_size) == 1
        order = words.uniform(count, batch_size).argsort(axis=0, kind="stable")
        told = np.take_along_axis(np.where(turned, edges[::-1], edges), order[np.newaxis], axis=1)
        place = words.integers(0, width - 1, 1, batch_size)[0]
        way, sequences = [first[-1, 0, 0] + place], np.arange(batch_size)
        for layer in range(length - 1, 0, -1):
            way.append(parent[layer, (way[-1] - 1) % width, sequences])
        name = distinct(words, 1 + length * width, self.names, batch_size)
        asked = np.stack([0 * place, way[0]])
        between = np.stack(way[:0:-1])
        facts = told.swapaxes(0, 1).reshape(-1, batch_size)
        facts, asked, between = (
            np.take_along_axis(name, nodes, axis=0) for nodes in (facts, asked, between)
        )
        question = np.concatenate([facts, np.full((1, batch_size), self.names), asked])
        return self.batch(*then_answer(question, between), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Count the edges from the goal to every node, and go where they become fewer."""
        shown, sequences = symbols_of(inputs), np.arange(inputs.shape[1])
        asked = int((shown[:, 0] == self.names).argmax())
        joined = np.zeros((len(sequences), self.names, self.names), bool)
        for one, other in shown[:asked].reshape(-1, 2, len(sequences)):
            joined[sequences, one, other] = joined[sequences, other, one] = True
        here, goal = shown[asked + 1], shown[asked + 2]
        left = np.full((len(sequences), self.names), self.names)  # edges to the goal
        left[sequences, goal] = 0
        for edges in range(1, self.names):
            near = (joined & (left == edges - 1)[:, np.newaxis]).any(axis=2)
            left = np.where(near, np.minimum(left, edges), left)
        solved = silence(*inputs.shape[:2])
        for step in range(asked + 3, len(inputs)):
            nearer = left == left[sequences, here][:, np.newaxis] - 1
            here = (joined[sequences, here] & nearer).argmax(axis=1)
            solved[step] = here
        return self.answered(solved)

    @property
    def shortcuts(self) -> Shortcuts:
        """A node of the way has a parent, a child or more, and two of the layer's W nodes an edge.

        So the first step shows a certain one of them more often than a name by chance.
        """
        edges = 2 + (self.width - 1) / self.width + 2 / self.width
        return Shortcuts(first=edges / (2 * self.demand(self.max_length)))

    def chance(self, length: int) -> Chance:
        """Every name is as likely as any other."""
        return Chance.of_uniform_symbols(length - 1, self.names)

    def demand(self, length: int) -> int:
        """One for each edge."""
        return length * (self.width + 1)

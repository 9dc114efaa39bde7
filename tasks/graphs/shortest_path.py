"""Shortest path: name the nodes between two nodes of a graph, by the way with the fewest edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import distinct
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, symbols_of, then_answer
from ntmbench.data.vocabulary import made_up, numbered
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.graphs.edges import told
from ntmbench.tasks.graphs.layers import layered_edges, nodes_between

#: The fewest edges of a way with a node between its ends.
FEWEST = 2


@register_task("shortest_path")
@dataclass(frozen=True)
class ShortestPath(SymbolTask):
    """Name the nodes on the shortest way, of L edges, and by its labels if there are several (DNC).

    ``a 0 b , a 1 e , b 1 d , d 0 e ? a d -> b``, without the commas: from a to d one comes by b or
    by e, and the way by b begins with the smaller label.

    An edge has three steps: a node, the edge's label, and the other node. A question mark, the
    start and the goal follow, and then the L - 1 nodes between them are asked for, in order, while
    the input is silent. Of several shortest ways it is the one whose first edge has the smallest
    label; if these are the same edge, the second edge decides, and so on. With W nodes in a layer
    there are L (W + 1) - 1 edges, and T = 3 (L (W + 1) - 1) + 3 + L - 1.

    The start is followed by L layers with W nodes each. Every node has an edge to a node of the
    layer before, drawn uniformly, and in each layer after the first one node, drawn uniformly, has
    an edge to a second one, drawn uniformly from the others. The goal is uniform in the last layer.
    At the default sizes two or more ways are the shortest in one third of all sequences with two
    edges, and in seven tenths of those with four. There are W labels; those of a node's edges to
    the next layer are distinct, and uniform, and so are the nodes' names. The order of the edges is
    uniform too, and which of an edge's nodes comes first. By chance (L - 1) (1 - 1/``names``) of
    the answers are wrong.

    In the source (Graves et al. 2016) edges are triples too, have directions, and any of the
    shortest ways is right. Here labels choose one, so that the answer is fixed and no name is
    likelier than another. Sources are not defined: an edge elsewhere could make another way.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 82 % of the errors
    of chance.

    A way of two edges (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = ShortestPath(width=2)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        pigi 1 goge lusu 1 goge pigi 0 ruza lusu 0 buva ruza 1 lusu ? ruza buva [lusu]
    """

    #: Number of different names, from as many as nodes, 1 + ``width`` ``max_length``, to 4096.
    names: int = 32
    #: Nodes of a layer, W, from 2 to half of the other names.
    width: int = 3
    #: Fewest edges of the way in training, from 2 to ``max_length``.
    min_length: int = 2
    #: Most edges of the way in training, from 2 to as many layers as there are names for.
    max_length: int = 4

    family = "graphs"
    axis = "edges of the way"
    version = 2
    lengths = Lengths(4, test=(2, 4, 6, 8, 10), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("names", self.names, fewest=2 * FEWEST + 1)
        check_range("task.width", self.width, 2, (self.names - 1) // FEWEST)
        check_range("task.max_length", self.max_length, FEWEST, self.longest_length)
        check_length_range(self.min_length, self.max_length, shortest=FEWEST)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the nodes, the labels, and the question mark."""
        return (*made_up(self.names), *numbered("", self.width), "?")

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
        """Draw the edges from layer to layer, their labels, the goal, and the names."""
        edges = layered_edges(words, batch_size, length, self.width, label=self.names)
        last = self.width * (length - 1)
        goal = 1 + last + words.integers(0, self.width - 1, 1, batch_size)
        name = distinct(words, 1 + self.width * length, self.names, batch_size)
        asked = np.take_along_axis(name, np.concatenate([0 * goal, goal]), axis=0)
        mark = np.full((1, batch_size), self.names + self.width)
        question = np.concatenate([told(words, edges, name), mark, asked])
        between = nodes_between(question, length - 1, self.names)
        return self.batch(*then_answer(question, between), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Count the edges from every node to the goal, and go where they become fewer."""
        shown = symbols_of(inputs)
        answers = int((shown[:, 0] == SILENT).sum())
        found = nodes_between(shown[:-answers], answers, self.names)
        return self.answered(then_answer(shown[:-answers], found)[1])

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Where the node asked for is told, in whichever edges."""
        asked, shown = symbols_of(self.oracle(inputs)), symbols_of(inputs)
        there: NDArray[np.bool_] = asked[..., np.newaxis] == shown.T
        there[asked == SILENT] = False
        return there

    @property
    def shortcuts(self) -> Shortcuts:
        """A node of the way has an edge or two from before, one to the next node, perhaps others.

        So the first step shows a certain one of them more often than a name by chance. A name that
        is told often answers more often than one that is told once or not at all: 0.114 of the
        errors were saved.
        """
        edges = 3 + 1 / self.width
        return Shortcuts(first=edges / (2 * self.demand(self.max_length)), bag=0.12)

    def chance(self, length: int) -> Chance:
        """Every name is as likely as any other."""
        return Chance.of_uniform_symbols(length - 1, self.names)

    def demand(self, length: int) -> int:
        """One for each edge."""
        return length * (self.width + 1) - 1

"""Reachability: say whether a way leads from one node of a graph to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of, then_answer
from ntmbench.data.vocabulary import made_up
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray
from ntmbench.tasks.graphs.edges import distances, joined, told

#: The fewest nodes of two trees with an edge each.
FEWEST = 4


@register_task("reachability")
@dataclass(frozen=True)
class Reachability(SymbolTask):
    """Say whether two of L nodes are connected, from edges in any order (Graves et al. 2016, DNC).

    ``a b , c d , b e ? e a -> yes``, without the commas: from e one comes to b, and from b to a.

    An edge has two steps, its two nodes. A question mark and two nodes follow, and the input is
    silent at the answer, "yes" or "no". T = 2 (L - 2) + 4, and the last step answers.

    The nodes begin as two ways of d edges, where d is uniform from 1 to L/2 - 1, rounded down. The
    ends of one of them are asked for. With even chances the ways are then crossed: an edge of each,
    at the same place, drawn uniformly, goes on to the other way's next node. Then the answer is
    "no", and else it is "yes". The remaining nodes are put beside one that is drawn uniformly from
    those there, one by one. The nodes' names are distinct, and uniform; so are the order of the
    edges, and that of an edge's nodes. By chance one half of the answers are wrong.

    So the distances of connected nodes are spread, up to the longest one, D = L/2 - 1. Yes and no
    differ by nothing but the crossing: the nodes asked for have as many edges, and neighbours
    alike. Whoever says yes to nodes within k edges of each other is right in 1/2 + k / (2 D) of all
    cases: at 12 nodes in 60 % if only adjacent nodes are within, and in 70 % if those with a common
    neighbour are too; at 32 nodes in 53 % and 57 %.

    The source tells edges with labels and directions, as triples, and asks for ways in them, not
    whether there is one. For that, labels say nothing, so that edges have none here.

    No model of the gallery solves it with its budget: the best, ``lstm``, makes 99 % of the errors
    of chance.

    Six nodes (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Reachability()
        >>> print(as_words(task, task.test_set(length=6, sequences=1)))
        paki noli tepo paki zife mopu mopu goge ? zife goge [yes]
    """

    #: Number of different names, from as many as nodes, ``max_length``, to 4096.
    names: int = 32
    #: Fewest nodes in training, from 4 to ``max_length``.
    min_length: int = 4
    #: Most nodes in training, from 4 to ``names``.
    max_length: int = 12

    family = "graphs"
    axis = "nodes"
    version = 2
    lengths = Lengths(12, test=(8, 12, 16, 24, 32), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("names", self.names, fewest=FEWEST)
        check_range("task.max_length", self.max_length, FEWEST, self.names)
        check_length_range(self.min_length, self.max_length, shortest=FEWEST)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the nodes, and the question mark."""
        return (*made_up(self.names), "?")

    @property
    def output_names(self) -> tuple[str, ...]:
        """No and yes."""
        return ("no", "yes")

    @property
    def shortest_length(self) -> int:
        """Two nodes on each way."""
        return FEWEST

    @property
    def longest_length(self) -> int:
        """As far as there are names."""
        return self.names

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw how long the ways are, where they cross, what grows on them, and the names."""
        far = words.integers(1, length // 2 - 1, batch_size)
        crossing = (words.uniform(batch_size) * far).astype(np.int64)
        yes = words.bits(batch_size).astype(np.int64)
        # Even nodes are one way, and odd ones the other; a way goes on from each node to the next
        # but one. Nodes after the last one of the ways grow on either.
        node = np.arange(2, length)[:, np.newaxis]
        on_ways = node <= 2 * far + 1
        crossed = (node // 2 == crossing + 1) & (yes == 0)
        grown = (words.uniform(length - 2, batch_size) * node).astype(np.int64)
        beside = np.where(on_ways, (node - 2) ^ crossed, grown)
        edges = np.stack([node + 0 * beside, beside], axis=1)
        name = distinct(words, length, self.names, batch_size)
        asked = np.take_along_axis(name, np.stack([0 * far, 2 * far]), axis=0)
        mark = np.full((1, batch_size), self.names)
        question = np.concatenate([told(words, edges, name), mark, asked])
        return self.batch(*then_answer(question, yes[np.newaxis]), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Go from the one node to all within reach, and see whether the other is among them."""
        edges, start, goal = self._parts(inputs)
        away = distances(joined(edges, self.names), goal)
        solved = silence(*inputs.shape[:2])
        solved[-1] = away[np.arange(len(goal)), start] < self.names
        return self.answered(solved)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The two nodes, and for yes the edges of the way; no is made of all edges."""
        edges, start, goal = self._parts(inputs)
        graph, sequences = joined(edges, self.names), np.arange(len(goal))
        to_start, to_goal = distances(graph, start), distances(graph, goal)
        whole = to_goal[sequences, start]
        first, second = edges.swapaxes(0, 1)
        through = [
            to_start[sequences, one] + 1 + to_goal[sequences, other]
            for one, other in ((first, second), (second, first))
        ]
        made = (np.minimum(*through) == whole) | (whole == self.names)
        steps = np.repeat(made, 2, axis=0) * (1 + np.arange(2 * len(edges)))[:, np.newaxis] - 1
        asked = np.full((2, len(goal)), len(inputs)) - np.array([[3], [2]])
        return sources_at(inputs, np.concatenate([steps, asked]).T[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Each edge replaced by each other one, and by one between the nodes asked for.

        The answer is defined for any edges, also where they are no two trees. Other nodes are asked
        for too.
        """
        asked, edges = inputs[-3:-1], inputs[:-4].reshape(-1, 2, *inputs.shape[1:])
        changed = []
        for place in range(len(edges)):
            for other in (asked, *edges):
                for turned in (other, other[::-1]):
                    changed.append(inputs.copy())
                    changed[-1][2 * place : 2 * place + 2] = turned
        for step in (-3, -2):
            for node in inputs[:-4]:
                changed.append(inputs.copy())
                changed[-1][step] = node
        return np.stack(changed)

    def chance(self, length: int) -> Chance:
        """Yes is as likely as no."""
        return Chance.of_uniform_symbols(1, 2)

    def demand(self, length: int) -> int:
        """One for each edge."""
        return length - 2

    def _parts(self, inputs: FloatArray) -> tuple[Integers, Integers, Integers]:
        """The edges ``[E, 2, B]``, and the nodes asked for, ``[B]`` each."""
        shown = symbols_of(inputs)
        return shown[:-4].reshape(-1, 2, inputs.shape[1]), shown[-3], shown[-2]

"""Reachability: say whether a way leads from one node of a graph to another."""

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
from ntmbench.task import Batch, FloatArray

#: The fewest nodes of two trees with an edge each.
FEWEST = 4


@register_task("reachability")
@dataclass(frozen=True)
class Reachability(SymbolTask):
    """Say whether two of L nodes are connected, from edges in any order (Graves et al. 2016, DNC).

    ``a b , c d , b e ? e a -> yes``, without the commas: from e one comes to b, and from b to a.

    An edge has two steps, its two nodes. A question mark and two nodes follow, and the input is
    silent at the answer, "yes" or "no". T = 2 (L - 2) + 4, and the last step answers.

    The nodes are two trees, one with half of them, and one more in the second place if L is odd.
    A tree grows node by node, each beside one that is drawn uniformly from those there. The nodes'
    names are distinct, and uniform; so are the order of the edges, and that of an edge's nodes. Yes
    and no are equally likely; for yes, a tree and two of its nodes are uniform, for no a node of
    each tree, the trees in any order.

    The source asks for ways in graphs whose edges have labels and directions, after training on
    random ones; whether there is a way is not asked. Sources are not defined: "no" is made of all
    edges that are not told.

    Six nodes (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Reachability()
        >>> print(as_words(task, task.test_set(length=6, sequences=1)))
        nemi riba noli rada riba deta paki rada ? riba noli [no]
    """

    #: Number of different names, at least as many as nodes.
    names: int = 32
    #: Fewest nodes in training.
    min_length: int = 4
    #: Most nodes in training.
    max_length: int = 12

    family = "graphs"
    axis = "nodes"
    version = 1
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
        """Two nodes of the same tree, and another tree."""
        return FEWEST

    @property
    def longest_length(self) -> int:
        """As far as there are names."""
        return self.names

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw two trees, their names, the order of what is told, and the question."""
        # Even nodes are one tree, odd ones the other; a tree's k-th node grows beside one before.
        node = np.arange(2, length)[:, np.newaxis]
        beside = (words.uniform(length - 2, batch_size) * (node // 2)).astype(np.int64)
        edges = np.stack([node + 0 * beside, 2 * beside + node % 2])  # [2, edges, B]
        turned = words.bits(length - 2, batch_size) == 1
        order = words.uniform(length - 2, batch_size).argsort(axis=0, kind="stable")
        told = np.take_along_axis(np.where(turned, edges[::-1], edges), order[np.newaxis], axis=1)
        yes, tree = words.integers(0, 1, 2, batch_size)
        first, shift, other = words.uniform(3, batch_size)
        size, other_size = (length + 1 - tree) // 2, (length + tree) // 2
        start = (first * size).astype(np.int64)
        beyond = (start + 1 + (shift * (size - 1)).astype(np.int64)) % size
        apart = 2 * (other * other_size).astype(np.int64) + 1 - tree
        asked = np.stack([2 * start + tree, np.where(yes == 1, 2 * beyond + tree, apart)])
        name = distinct(words, length, self.names, batch_size)
        facts = told.swapaxes(0, 1).reshape(-1, batch_size)
        facts, asked = (np.take_along_axis(name, nodes, axis=0) for nodes in (facts, asked))
        question = np.concatenate([facts, np.full((1, batch_size), self.names), asked])
        return self.batch(*then_answer(question, yes[np.newaxis]), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Double the steps of all ways, until they are as many as nodes."""
        shown = symbols_of(inputs)
        sequences, solved = np.arange(inputs.shape[1]), silence(*inputs.shape[:2])
        ways = np.tile(np.eye(self.names, dtype=np.float32), (len(sequences), 1, 1))
        for one, other in shown[:-4].reshape(-1, 2, len(sequences)):
            ways[sequences, one, other] = ways[sequences, other, one] = 1
        for _ in range(self.names.bit_length()):
            ways = np.minimum(ways @ ways, 1)
        solved[-1] = ways[sequences, shown[-3], shown[-2]]
        return self.answered(solved)

    def chance(self, length: int) -> Chance:
        """Yes is as likely as no."""
        return Chance.of_uniform_symbols(1, 2)

    def demand(self, length: int) -> int:
        """One for each edge."""
        return length - 2

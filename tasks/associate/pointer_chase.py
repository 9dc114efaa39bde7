"""Pointer chase: follow links through a shuffled table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, silence, symbols_of
from ntmbench.data.vocabulary import letters
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation
from ntmbench.tasks.associate.links import followed, is_circle


@register_task("pointer_chase")
@dataclass(frozen=True)
class PointerChase(SymbolTask):
    """Name the node that is k links away (after "Depo", Allen-Zhu 2025).

    ``c a a b b c | a > > | c > > -> c b`` with k = 2: a table of N links, each from one node to the
    next, and then starts, each followed by k signs ``>`` and answered at the last of them.

    The N nodes of a sequence are distinct symbols, and their links form one circle; nodes, circle
    and the order of the table are uniform. A link is its two nodes, a symbol a step. Each of
    ``queries`` starts is a uniform node. The hops k of a training batch are uniform from 1 to
    ``hops``, those of test data are ``hops``. A sequence has more nodes than hops, so that no
    start is its own answer. T = 2N + ``queries`` (1 + k), and the answer starts at step 2N. By
    chance 1 - 1 / ``symbols`` of the answers are wrong.

    In the source (Physics of Language Models, part 4.1) each query names its own k, and is answered
    at once. The layout of the queries is this suite's own. There is a step for each hop, so that a
    model may follow one link at each, and be tested on more hops than it was trained on: a
    variation of the test doubles them.

    Three links and two starts (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = PointerChase(hops=2, queries=2)
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        e c m e c m e > > [m] m > > [c]
    """

    #: Number of different symbols, from 2 to 4096; no sequence can have more nodes.
    symbols: int = 16
    #: Most links to follow in training, from 1 to ``symbols`` - 1; all test sequences ask for so
    #: many.
    hops: int = 3
    #: Starts in a sequence, from 1 to 100000.
    queries: int = 4
    #: Fewest links of a table in training, from ``hops`` + 1 to ``max_length``.
    min_length: int = 4
    #: Most links of a table in training, from ``hops`` + 1 to ``symbols``.
    max_length: int = 6

    family = "associate"
    axis = "links"
    version = 1
    lengths = Lengths(6, test=(4, 6, 8, 12, 16), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols)
        check_range("task.hops", self.hops, 1, self.symbols - 1)
        check_range("task.queries", self.queries, 1, MAX_LENGTH)
        check_range("task.max_length", self.max_length, self.shortest_length, self.symbols)
        check_length_range(self.min_length, self.max_length, shortest=self.shortest_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The nodes, and the sign for a hop."""
        return (*self.output_names, ">")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The nodes."""
        return letters(self.symbols)

    @property
    def shortest_length(self) -> int:
        """One node more than hops."""
        return self.hops + 1

    @property
    def longest_length(self) -> int:
        """As far as there are symbols."""
        return self.symbols

    @property
    def variations(self) -> Mapping[str, Variation]:
        """Twice as many hops, at the longest training length or the least that allows them."""
        hops = 2 * self.hops
        if hops >= self.symbols:
            return {}
        length = max(self.max_length, hops + 1)
        task = replace(self, hops=hops, min_length=length, max_length=length)
        return {f"length {length}, hops {hops}": Variation(task, length)}

    @property
    def shortcuts(self) -> Shortcuts:
        """The answer is a node of the sequence: one in N, and one in N - 1 if the start is known.

        The first input and the last before the starts are nodes.
        """
        nodes = self.max_length
        one, known = ((1 / among - 1 / self.symbols) for among in (nodes, nodes - 1))
        chance = 1 - 1 / self.symbols
        return Shortcuts(first=one / chance, last=one / chance, linear=known / chance)

    @property
    def sources_that_matter(self) -> float:
        """All if two links are not followed; else only the start can be changed alone."""
        steps = 2 * self.max_length + self.queries * (1 + self.hops)
        spare = (
            self.max_length >= self.hops + 2 and steps <= 40
        )  # shorter ones of others are edited
        return 1.0 if spare else 1 / (1 + 2 * self.hops)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the hops, and for each sequence a circle of ``length`` nodes and the starts."""
        hops = self.hops if test else words.integer(1, self.hops)
        circle = distinct(words, length, self.symbols, batch_size)
        order = distinct(words, length, length, batch_size)
        starts = words.integers(0, length - 1, self.queries, batch_size)

        links = [np.take_along_axis(circle, (order + to) % length, axis=0) for to in (0, 1)]
        shown, asked = (np.full((self.queries, 1 + hops, batch_size), SILENT) for _ in range(2))
        shown[:, 0] = np.take_along_axis(circle, starts, axis=0)
        shown[:, 1:] = self.symbols
        asked[:, -1] = np.take_along_axis(circle, (starts + hops) % length, axis=0)
        table = np.stack(links, axis=1).reshape(2 * length, batch_size)
        return self.batch(
            np.concatenate([table, shown.reshape(-1, batch_size)]),
            np.concatenate([silence(2 * length, batch_size), asked.reshape(-1, batch_size)]),
            answer_start=2 * length,
        )

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look the start up in the table, then the node found, and so on."""
        links, starts, hops = self._split(inputs)
        steps, batch_size, _ = inputs.shape
        last = followed(links, symbols_of(inputs)[starts], hops)[-1]
        asked = silence(steps, batch_size)
        asked[starts + hops] = np.take_along_axis(links[1], last, axis=0)
        return self.answered(asked)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The start, and both nodes of each link that is followed."""
        links, starts, hops = self._split(inputs)
        places = np.stack(followed(links, symbols_of(inputs)[starts], hops), axis=2)  # [Q, B, hops]
        start = starts[:, np.newaxis, np.newaxis] + 0 * places[..., :1]
        steps = np.concatenate([start, 2 * places, 2 * places + 1], axis=2)
        return sources_at(inputs, steps, starts + hops)

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Another start, and first or second nodes of three links moved, if a circle remains."""
        links, starts, _ = self._split(inputs)
        edited = []
        for start, link in product(starts, range(len(links[0]))):
            edited.append(inputs.copy())
            edited[-1][start] = inputs[2 * link]
        for triple, end in product(permutations(range(len(links[0])), 3), (0, 1)):
            moved = 2 * np.array(triple) + end
            edited.append(inputs.copy())
            edited[-1][moved] = inputs[np.roll(moved, 1)]
        possible = [is_circle(self._split(edit)[0]) for edit in edited]
        return where_possible(inputs, np.stack(edited), np.stack(possible))

    def chance(self, length: int) -> Chance:
        """Every symbol is as likely as any other."""
        return Chance.of_uniform_symbols(self.queries, self.symbols)

    def demand(self, length: int) -> int:
        """One for each link."""
        return length

    def _split(self, inputs: FloatArray) -> tuple[Integers, Integers, int]:
        """The links ``[2, N, B]``, the steps of the starts ``[Q]``, and the hops."""
        shown = symbols_of(inputs)
        hops = int((shown[:, 0] == self.symbols).sum()) // self.queries
        table = len(shown) - self.queries * (1 + hops)
        links = shown[:table].reshape(-1, 2, shown.shape[1]).swapaxes(0, 1)
        return links, np.arange(table, len(shown), 1 + hops), hops

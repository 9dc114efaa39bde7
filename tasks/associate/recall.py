"""Associative recall: name the item that followed the queried one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.edits import where_possible
from ntmbench.data.layout import answer_at_end, first_raised, question_and_answer, sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_sizes
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.data.votes import saved_by_votes
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.associate.items import (
    Vectors,
    following,
    matches,
    other_questions,
    picked,
)


@register_task("recall")
@dataclass(frozen=True)
class Recall(VectorTask):
    """Answer a query item with the item that followed it (Graves et al. 2014, section 4.3).

    ``|a |b |c ?b? -> c``, for example ``|3 1 |0 2 |2 2 ?3 1? -> 0 2`` with items of two vectors.

    A length counts items, each of K = ``item_length`` vectors. A delimiter comes before each item,
    and one of another kind, on a channel of its own, before and after the query. The query is
    drawn from all items but the last. If the same item was shown more than once, the answer is the
    item that followed its first appearance, so that it is a function of the input.
    T = (K + 1) L + (K + 2) + K. By chance half of the bits are wrong.

    Three items of one vector of two bits, the first and the last of them the same
    (inputs: bits, item delimiter, query delimiter | targets; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> task = Recall(bits=2, item_length=1)
        >>> print(as_text(task.test_set(length=3, sequences=2), sequence=1))
        0 0 1 0 | . .
        1 0 0 0 | . .
        0 0 1 0 | . .
        0 0 0 0 | . .
        0 0 1 0 | . .
        1 0 0 0 | . .
        0 0 0 1 | . .
        1 0 0 0 | . .
        0 0 0 1 | . .
        0 0 0 0 | 0 0
    """

    #: Bits of a vector, from 1 to 1024.
    bits: int = 6
    #: Vectors of an item, from 1 to 100000.
    item_length: int = 3
    #: Fewest items in training, from 2 to ``max_length``.
    min_length: int = 2
    #: Most items in training, from 2 to 100000.
    max_length: int = 6

    family = "associate"
    axis = "items"
    version = 1
    further_channels = ("item", "query")  # the two kinds of delimiter
    # Tests use the paper's numbers of items, up to 20.
    lengths = Lengths(6, test=(6, 8, 10, 12, 15, 20), select=((3, 2), (3, 1)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length, shortest=self.shortest_length)
        check_range("task.item_length", self.item_length, 1, MAX_LENGTH)

    @property
    def shortest_length(self) -> int:
        """Two, since the last item is never the query."""
        return 2

    @property
    def shortcuts(self) -> Shortcuts:
        """The answer is one of the items but the first, whose bits vote.

        If the order is not known, so do the bits of all vectors.
        """
        vectors = self.item_length * self.max_length
        return Shortcuts(
            bag=saved_by_votes(vectors, 2), linear=saved_by_votes(self.max_length - 1, 2)
        )

    @property
    def sources_that_matter(self) -> float:
        """The item asked for cannot change alone if it is one of the last two that can be.

        Vectors that two items share do not matter either. The share grows with the number of items.
        It is told for four at most, or for two long ones, less a tenth, since sequences vary.
        """
        length = min(self.max_length, 4 if self.item_length < 4 else 2)
        each = self.item_length
        sources = (length - 1) * (each * (length + 2) / 2 + 1)
        return 0.9 * (1 - 2 * each / sources) * (1 - 2.0**-self.bits)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` items and a query for each sequence."""
        items = words.bits(length, self.item_length, batch_size, self.bits)
        queried = words.integers(0, length - 2, batch_size)
        query = picked(items, queried)
        return question_and_answer(
            self._question(items, query), picked(items, following(items, query))
        )

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look the query up among the items and give the next one."""
        items, query = self._items_and_query(inputs)
        return answer_at_end(picked(items, following(items, query)), len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The vector itself, the query, and all items up to the one that is asked for.

        An earlier item that was the same would take the place of the one that is asked for.
        """
        items, query = self._items_and_query(inputs)
        length, vectors, *_ = items.shape
        begin = (vectors + 1) * following(items, query)  # [B], of the item that is given back
        step = np.arange(len(inputs) - vectors)[:, np.newaxis]  # of the question
        delimiters = inputs[: len(step), :, self.bits :].any(axis=2)
        compared = ((step < begin) | (step >= (vectors + 1) * length)) & ~delimiters
        sources = self.shown_at(inputs)
        sources[len(step) :, :, : len(step)] |= compared.T
        return sources

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Vectors inverted, items replaced and exchanged, and other queries."""
        items, query = self._items_and_query(inputs)
        edits, possible = [], []
        for other_items, other_query in other_questions(items, query):
            edits.append(inputs.copy())
            edits[-1][: -self.item_length] = self._question(other_items, other_query)
            possible.append(matches(other_items[:-1], other_query).any(axis=0))
        return where_possible(inputs, np.stack(edits), np.stack(possible))

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the vector in the item that followed the queried one."""
        first = 1 + (self.item_length + 1) * following(*self._items_and_query(inputs))  # [B]
        return sources_at(inputs, np.arange(self.item_length)[:, np.newaxis] + first)

    def chance(self, length: int) -> Chance:
        """Every bit of the answer is a fair coin, however many items there are."""
        return Chance.of_fair_bits(self.item_length * self.bits)

    def demand(self, length: int) -> int:
        """One for each vector and each delimiter."""
        return length * (self.item_length + 1)

    def _question(self, items: Vectors, query: Vectors) -> FloatArray:
        """What is shown of ``items [L, K, B, bits]`` and a ``query [K, B, bits]``."""
        length, vectors, batch_size, _ = items.shape
        shown = length * (vectors + 1)
        question = np.zeros((shown + vectors + 2, batch_size, self.input_width), np.float32)
        blocks = question[:shown].reshape(length, vectors + 1, batch_size, -1)
        blocks[:, 0, :, self.bits] = 1
        blocks[:, 1:, :, : self.bits] = items
        question[[shown, -1], :, self.bits + 1] = 1
        question[shown + 1 : -1, :, : self.bits] = query
        return question

    def _items_and_query(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The items ``[L, K, B, bits]`` and the query ``[K, B, bits]`` of ``inputs [T, B, in]``."""
        shown = first_raised(inputs[:, :, self.bits + 1])
        _, batch_size, width = inputs.shape
        blocks = inputs[:shown].reshape(-1, self.item_length + 1, batch_size, width)
        query = inputs[shown + 1 : shown + 1 + self.item_length, :, : self.bits]
        return blocks[:, 1:, :, : self.bits], query

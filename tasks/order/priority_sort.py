"""Priority sort: return the bit vectors of highest priority, in order of priority."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.layout import (
    answer_at_end,
    ended_by_delimiter,
    first_raised,
    question_and_answer,
    sources_at,
)
from ntmbench.data.lengths import Lengths, check_sizes
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.data.votes import saved_by_votes
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.order.moved import all_shown

# Priorities are the odd multiples of 2**-24 between -1 and 1: uniform, without the ends, and exact
# in float32, so that the input holds what the target was made from.
_PRIORITY_BITS = 24


@register_task("priority_sort")
@dataclass(frozen=True)
class PrioritySort(VectorTask):
    """Return the A of L vectors with the highest priorities (Graves et al. 2014, section 4.5).

    ``a:+0.1 b:-0.7 c:+0.9 | -> c a`` with A = 2, for example ``5:+0.1 2:-0.7 7:+0.9 | -> 7 5``.

    Each vector comes with a priority, uniform in (-1, 1), on a channel of its own. The highest
    comes first; equal priorities keep the order in which they were shown. The paper does not state
    the width of the vectors, the direction or what precedes the answer. Here they are 8 bits,
    highest first, and a delimiter on a channel of its own. T = L + 1 + A, and the answer starts at
    step L + 1. By chance half of the bits are wrong.

    The best two of three vectors of three bits (inputs: bits, priority, delimiter | targets)::

        >>> from ntmbench.data.text import as_text
        >>> task = PrioritySort(bits=3, min_length=3, max_length=3, answers=2)
        >>> print(as_text(task.test_set(length=3, sequences=4), sequence=3))
        1 0 0 +0.10 0 | . . .
        1 0 1 -0.05 0 | . . .
        0 1 1 +0.53 0 | . . .
        0 0 0 0 1 | . . .
        0 0 0 0 0 | 0 1 1
        0 0 0 0 0 | 1 0 0
    """

    #: Bits of a vector, without its priority, from 1 to 1024.
    bits: int = 8
    #: Shortest training sequence, in vectors shown, from ``answers`` to ``max_length``.
    min_length: int = 20
    #: Longest training sequence, in vectors shown, from 1 to 100000.
    max_length: int = 20
    #: Vectors to return, from 1 to ``min_length``.
    answers: int = 16

    family = "order"
    axis = "vectors"
    version = 1
    further_channels = ("priority", "delimiter")
    # Weights are selected at the training range's end, which is hard enough, and a quarter beyond.
    # The answer always has ``answers`` vectors.
    lengths = Lengths(20, test=(20, 25, 30, 40), select=((1, 1), (5, 4)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)
        check_range("task.answers", self.answers, 1, self.min_length)

    @property
    def shortest_length(self) -> int:
        """The number of vectors to return."""
        return self.answers

    @property
    def shortcuts(self) -> Shortcuts:
        """Each answer is one of the vectors, whose bits vote.

        The priority of the first vector tells its place in the answer, about; 0.03 were saved.
        """
        return Shortcuts(first=0.03, bag=saved_by_votes(self.max_length, 2))

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` vectors with their priorities for each sequence; nothing else varies."""
        vectors = words.bits(length, batch_size, self.bits)
        levels = words.integers(0, 2**_PRIORITY_BITS - 1, length, batch_size)
        priorities = (2 * levels + 1) * 2.0**-_PRIORITY_BITS - 1
        question = ended_by_delimiter(vectors, self.input_width, self.bits + 1)
        question[:length, :, self.bits] = priorities
        return question_and_answer(question, self._highest(vectors, priorities))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Put whole rows in order of their priority; a column is never sorted by itself."""
        length = first_raised(inputs[:, :, self.bits + 1])
        vectors = inputs[:length, :, : self.bits]
        priorities = inputs[:length, :, self.bits]
        return answer_at_end(self._highest(vectors, priorities), len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """All vectors with their priorities: each of them may come in any place."""
        length = first_raised(inputs[:, :, self.bits + 1])
        sources: NDArray[np.bool_] = all_shown(inputs, length, self.answers)
        return sources

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Each vector by itself the inverse of another one, whose place it takes."""
        length = first_raised(inputs[:, :, self.bits + 1])
        priorities = inputs[:length, :, self.bits]
        edits = np.repeat(inputs[np.newaxis], length * length, axis=0)
        for edit, (one, other) in zip(edits, np.ndindex(length, length), strict=True):
            higher, step = priorities[one] >= priorities[other], 2.0 ** (1 - _PRIORITY_BITS)
            edit[one, :, : self.bits] = 1 - inputs[other, :, : self.bits]
            edit[one, :, self.bits] = priorities[other] + np.where(higher, -step, step)
        return edits

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the vector itself; equal priorities keep the order in which they came."""
        length = first_raised(inputs[:, :, self.bits + 1])
        return sources_at(inputs, self._order(inputs[:length, :, self.bits]))

    def ordered_by(self, inputs: FloatArray) -> NDArray[np.float64]:
        """The priorities."""
        length = first_raised(inputs[:, :, self.bits + 1])
        priorities = np.full(inputs.shape[:2], np.nan)
        priorities[:length] = inputs[:length, :, self.bits]
        return priorities

    def chance(self, length: int) -> Chance:
        """Every bit is a fair coin, since the priorities say nothing about the vectors."""
        return Chance.of_fair_bits(self.answers * self.bits)

    def demand(self, length: int) -> int:
        """One for each vector shown."""
        return length

    def _highest(
        self, vectors: NDArray[np.generic], priorities: NDArray[np.floating]
    ) -> NDArray[np.generic]:
        """The first ``answers`` of ``vectors [L, B, bits]`` by ``priorities [L, B]``."""
        order = self._order(priorities)
        return np.take_along_axis(vectors, order[:, :, np.newaxis], axis=0)

    def _order(self, priorities: NDArray[np.floating]) -> NDArray[np.int64]:
        """The places ``[answers, B]`` of the highest of ``priorities [L, B]``."""
        order: NDArray[np.int64] = np.argsort(-priorities, axis=0, kind="stable")[: self.answers]
        return order

"""Distracted copy: reproduce the marked vectors among others that look alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, places
from ntmbench.data.layout import answer_at_end, ended_by_delimiter, question_and_answer, sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_sizes
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.disturb.pairs import complemented


@register_task("distracted_copy")
@dataclass(frozen=True)
class DistractedCopy(VectorTask):
    """Give back the marked vectors, in order, and none of those among which they lie.

    ``*a x y *b z | -> a b``, where a star marks a vector.

    A length counts the vectors without a mark: the strength of the distraction. ``marked`` vectors
    with a mark lie among them, which is a channel of its own, raised beside the vector. Which of
    the steps are marked is uniform over all choices, and so is each bit. A delimiter on a channel
    of its own ends the question. T = 2 ``marked`` + L + 1, and the last ``marked`` steps answer. By
    chance half of their bits are wrong, ``marked`` ``bits`` / 2.

    The task is this suite's own: copy (Graves et al. 2014, section 4.1), with the distraction of
    selective copying, whose blanks are here vectors like those to be kept.

    Two marked vectors and two others (inputs: bits, mark, delimiter | targets)::

        >>> from ntmbench.data.text import as_text
        >>> task = DistractedCopy(bits=3, marked=2)
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        0 0 0 0 0 | . . .
        1 0 0 1 0 | . . .
        1 1 1 1 0 | . . .
        0 1 1 0 0 | . . .
        0 0 0 0 1 | . . .
        0 0 0 0 0 | 1 0 0
        0 0 0 0 0 | 1 1 1
    """

    #: Bits of a vector, from 1 to 1024.
    bits: int = 8
    #: Marked vectors of a sequence, from 1 to 100000.
    marked: int = 5
    #: Fewest vectors without a mark in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most vectors without a mark in training, from 1 to 100000.
    max_length: int = 10

    family = "disturb"
    axis = "distractors"
    version = 1
    further_channels = ("mark", "delimiter")
    lengths = Lengths(10, test=(5, 10, 20, 40, 80, 160), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)
        check_range("task.marked", self.marked, 1, MAX_LENGTH)

    @property
    def shortcuts(self) -> Shortcuts:
        """The first vector answers for itself if it is marked.

        Places vary little at either end, so that a linear read-out of all steps finds some: 0.29 of
        the errors were saved. The votes of all vectors on each bit saved 0.21.
        """
        return Shortcuts(first=1 / (self.marked + self.max_length), bag=0.21, linear=0.29)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the vectors, and which of them are marked."""
        steps = self.marked + length
        vectors = words.bits(steps, batch_size, self.bits)
        kept = places(words, self.marked, steps, batch_size)
        question = ended_by_delimiter(vectors, self.input_width, self.bits + 1)
        np.put_along_axis(question[:, :, self.bits], kept, 1, axis=0)
        return question_and_answer(question, np.take_along_axis(vectors, kept[..., None], axis=0))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Leave out what is not marked."""
        kept = self._places(inputs)[:, :, np.newaxis]
        vectors = np.take_along_axis(inputs[:, :, : self.bits], kept, axis=0)
        return answer_at_end(vectors, len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the vector itself; that others are marked, or not, counts as its place."""
        return sources_at(inputs, self._places(inputs))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other vectors, with the same marks."""
        vectors = np.arange(len(inputs) - self.marked - 1)
        edits: FloatArray = complemented(inputs, vectors, self.bits)
        return edits

    def chance(self, length: int) -> Chance:
        """Every bit of the answer is a fair coin."""
        return Chance.of_fair_bits(self.marked * self.bits)

    def demand(self, length: int) -> int:
        """One for each marked vector."""
        return self.marked

    def _places(self, inputs: FloatArray) -> Integers:
        """The steps ``[marked, B]`` of the marked vectors."""
        marks = inputs[:, :, self.bits]
        found: Integers = (-marks).argsort(axis=0, kind="stable")[: self.marked]
        return found

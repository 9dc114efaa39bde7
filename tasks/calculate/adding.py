"""Adding: the sum of the two marked numbers of a long series."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance, Reals
from ntmbench.data.edits import replaced_steps
from ntmbench.data.layout import answer_at_end, question_and_answer, sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Task

#: Numbers are multiples of one part in so many.
GRID = 2**20


@register_task("adding")
@dataclass(frozen=True)
class Adding(Task):
    """Add the two marked numbers of a series (Hochreiter and Schmidhuber 1997, experiment 4).

    ``+0.3 *-0.7 +0.1 *+0.5 | -> -0.2``, where a star is a mark.

    A length is the number of steps of the series, L. A number is shown at each step, uniform in
    (-1, 1), a multiple of 2^-20, so that sums are exact. A mark is shown beside it, on a channel of
    its own, at one uniform step of the first half (the shorter one, if L is odd) and at one of the
    second. A delimiter follows on a third channel, and then one silent step at which the sum is
    asked for. T = L + 2. An answer is wrong if it is off by more than ``tolerance``. By chance 0 is
    answered, and (1 - ``tolerance`` / 2)^2 of the answers are wrong.

    The source has both marks in the first half, the first one within ten steps, varies L by a
    tenth, and scales the sum to between 0 and 1.

    A series of four (inputs: number, mark, delimiter | target)::

        >>> from ntmbench.data.text import as_text
        >>> task = Adding()
        >>> print(as_text(task.test_set(length=4, sequences=1)))
        +0.48 1 0 | .
        -0.97 0 0 | .
        +0.84 1 0 | .
        +0.60 0 0 | .
        0 0 1 | .
        0 0 0 | +1.33
    """

    #: An answer that is off by more is wrong; from 0.001 to 1.
    tolerance: float = 0.1
    #: Shortest series in training, in steps, from 2 to ``max_length``.
    min_length: int = 2
    #: Longest series in training, in steps, from 2 to 100000.
    max_length: int = 50

    family = "calculate"
    axis = "steps"
    version = 1
    lengths = Lengths(50, test=(25, 50, 75, 100, 200), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.tolerance", self.tolerance, 0.001, 1.0)
        check_length_range(self.min_length, self.max_length, shortest=self.shortest_length)

    @property
    def shortest_length(self) -> int:
        """Two numbers."""
        return 2

    @property
    def input_width(self) -> int:
        """The number, its mark and the delimiter."""
        return 3

    @property
    def input_names(self) -> tuple[str, ...]:
        """The number, its mark and the delimiter."""
        return ("number", "mark", "delimiter")

    @property
    def answer(self) -> Reals:
        """The sum."""
        return Reals(1, self.tolerance)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the numbers and the two marks."""
        half, sequence = length // 2, np.arange(batch_size)
        question = np.zeros((length + 1, batch_size, 3), np.float32)
        numbers = words.integers(1 - GRID, GRID - 1, length, batch_size)
        question[:length, :, 0] = numbers / GRID
        for low, high in ((0, half - 1), (half, length - 1)):
            question[words.integers(low, high, batch_size), sequence, 1] = 1
        question[length, :, 2] = 1
        return question_and_answer(question, self._sum(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Add what is marked."""
        return answer_at_end(self._sum(inputs), len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The two marked steps."""
        marked = inputs[:, :, 1].argsort(axis=0, kind="stable")[-2:]
        return sources_at(inputs, marked.T[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other numbers, at the same marks."""
        edits = replaced_steps(inputs)
        edits[..., 1:] = inputs[..., 1:]
        return edits

    def chance(self, length: int) -> Chance:
        """The best constant is 0; the sum's variance is 2 / 3, and its density a triangle."""
        square = 2 / 3 / (2 * self.tolerance**2) / math.log(2)
        return Chance((1 - self.tolerance / 2) ** 2, square)

    def demand(self, length: int) -> int:
        """One: the sum so far."""
        return 1

    def _sum(self, inputs: FloatArray) -> FloatArray:
        """The sum ``[1, B, 1]`` of the marked numbers."""
        marked: FloatArray = (inputs[:, :, :1] * inputs[:, :, 1:2]).sum(axis=0, keepdims=True)
        return marked

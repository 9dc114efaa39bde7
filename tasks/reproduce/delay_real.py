"""Delay of numbers: give each number back a number of steps later, all the time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance, Reals
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Task


@register_task("delay_real")
@dataclass(frozen=True)
class DelayReal(Task):
    """Give each number back k steps after it was shown (Bendi-Ouis et al. 2026, "postcasting").

    ``+0.3 -0.7 +0.1 +0.5 -> . . +0.3 -0.7`` with k = 2.

    A length is the delay k. A number is shown at every step, each uniform in (-1, 1), and from step
    k on the one of k steps before is asked for, ``answers`` times. At step k a channel of its own
    is raised once, beside the number: the answer begins. A model can tell the delay from that
    alone. T = k + ``answers``. Input and answer run side by side. An answer is wrong if it is off
    by more than ``tolerance``. By chance 0 is answered, and 1 - ``tolerance`` of the answers are
    wrong.

    The source (CogScale, "continuous postcasting" in cogscale/tasks.py of its code) has one delay
    for training and tests, and no sign.

    Three answers with a delay of two (inputs: number, sign | target)::

        >>> from ntmbench.data.text import as_text
        >>> task = DelayReal(answers=3)
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        -0.28 0 | .
        +0.87 0 | .
        -0.97 1 | -0.28
        -0.81 0 | +0.87
        +0.32 0 | -0.97
    """

    #: Numbers asked for in a sequence, from 1 to 100000.
    answers: int = 20
    #: An answer that is off by more is wrong; from 0.001 to 1.
    tolerance: float = 0.1
    #: Shortest delay in training, in steps, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest delay in training, in steps, from 1 to 100000.
    max_length: int = 10

    family = "reproduce"
    axis = "steps of delay"
    version = 1
    lengths = Lengths(10, test=(5, 10, 15, 20, 40), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.answers", self.answers, 1, MAX_LENGTH)
        check_range("task.tolerance", self.tolerance, 0.001, 1.0)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The number, and the sign that the answer begins."""
        return ("number", "now")

    @property
    def input_width(self) -> int:
        """The number and the sign."""
        return 2

    @property
    def answer(self) -> Reals:
        """The number."""
        return Reals(1, self.tolerance)

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    @property
    def shortcuts(self) -> Shortcuts:
        """At one delay a linear read-out is enough; the first number answers for itself."""
        return Shortcuts(first=1 / self.answers, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a number for each step; nothing else varies."""
        steps = length + self.answers
        inputs = np.zeros((steps, batch_size, self.input_width), np.float32)
        inputs[:, :, 0] = 2 * words.uniform(steps, batch_size) - 1
        inputs[length, :, 1] = 1
        mask = np.zeros((steps, batch_size), np.float32)
        mask[length:] = 1
        return Batch(inputs, self._delayed(inputs, length), mask, answer_start=0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The numbers from as many steps before as had passed when the sign came."""
        return self._delayed(inputs, self._delay(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the number itself."""
        return sources_at(inputs, np.arange(len(inputs) - self._delay(inputs)))

    def chance(self, length: int) -> Chance:
        """The best constant is 0, from which numbers lie a third of a square away in the mean."""
        square = 1 / 3 / (2 * self.tolerance**2) / math.log(2)
        return Chance(self.answers * (1 - self.tolerance), self.answers * square)

    def demand(self, length: int) -> int:
        """One for each step of the delay."""
        return length

    def _delay(self, inputs: FloatArray) -> int:
        """The step at which the answer begins."""
        return int(inputs[:, 0, 1].argmax())

    def _delayed(self, inputs: FloatArray, delay: int) -> FloatArray:
        """The numbers ``[T, B, 1]`` from ``delay`` steps before, after zeros."""
        delayed = np.zeros((*inputs.shape[:2], 1), np.float32)
        delayed[delay:] = inputs[:-delay, :, :1]
        return delayed

"""In-context regression: learn a linear map from a few examples, and apply it."""

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
from ntmbench.task import Batch, FloatArray, Task

#: Most numbers of an input; more are taken for a typing error.
MAX_DIMENSIONS = 256


@register_task("in_context_regression")
@dataclass(frozen=True)
class InContextRegression(Task):
    """Give the value of a hidden linear map at new inputs, after examples (Garg et al. 2022).

    ``(x1, y1) (x2, y2) (x3, y3) x4? x5? -> w x4, w x5``, where y = w x + noise.

    A length counts the examples. The map w of a sequence has ``dimensions`` weights, normal with
    mean 0 and variance 1 / ``dimensions``. Inputs x are uniform in direction and of the length
    sqrt(``dimensions``), so that w x is a standard normal number. An example shows x and its value
    in one step; normal noise of standard deviation ``noise`` is added to the value. A question
    shows x and raises a channel of its own, and w x without noise is asked for at its step.
    T = L + ``questions``, and the answer starts at step L. The input is not silent during the
    answer, so that a decoder must see it. An answer is wrong if it is off by more than
    ``tolerance``.

    The input does not fix the answer. The oracle is the mean of w x given the examples, which is
    ridge regression with the true noise. By chance 0 is answered, and erfc(``tolerance`` / sqrt(2))
    of all answers are wrong: four in five at the default tolerance.

    The source's section 3 shows x and y in steps of their own and without noise, asks for each y,
    and draws x and w from a standard normal distribution, in 20 dimensions. Its section 4 adds
    noise in tests alone.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 54 % of the errors
    of chance, counted from the optimum.

    Two examples and a question (inputs: x, value, question | target)::

        >>> from ntmbench.data.text import as_text
        >>> task = InContextRegression(dimensions=2, questions=1)
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        +1.29 +0.57 +0.18 0 | .
        -1.20 +0.75 -0.46 0 | .
        -1.16 +0.81 0 1 | -0.51
    """

    #: Numbers of an input, from 1 to 256.
    dimensions: int = 4
    #: Questions of a sequence, from 1 to 100000.
    questions: int = 4
    #: Standard deviation of the noise in the examples' values, from 0.01 to 10.
    noise: float = 0.1
    #: An answer that is off by more is wrong; from 0.001 to 10.
    tolerance: float = 0.25
    #: Fewest examples in training, from 1 to ``max_length``.
    min_length: int = 2
    #: Most examples in training, from 1 to 100000.
    max_length: int = 8

    family = "learn"
    axis = "examples"
    version = 1
    deterministic = False
    lengths = Lengths(8, test=(4, 8, 16, 32), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.dimensions", self.dimensions, 1, MAX_DIMENSIONS)
        check_range("task.questions", self.questions, 1, MAX_LENGTH)
        check_range("task.noise", self.noise, 0.01, 10.0)
        check_range("task.tolerance", self.tolerance, 0.001, 10.0)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The numbers of the input, its value, and the sign of a question."""
        return (*(f"x{number}" for number in range(self.dimensions)), "value", "question")

    @property
    def input_width(self) -> int:
        """The input, its value and the sign of a question."""
        return self.dimensions + 2

    @property
    def answer(self) -> Reals:
        """The value."""
        return Reals(1, self.tolerance)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the map, the inputs and the noise of each sequence."""
        steps = length + self.questions
        weights = words.normal(self.dimensions, batch_size) / math.sqrt(self.dimensions)
        x = words.normal(self.dimensions, steps, batch_size)
        # Sums in a fixed order have the same digits on every processor; a product of matrices has
        # not.
        x *= np.sqrt(self.dimensions / sum(part * part for part in x))
        exact = sum(part * weight for part, weight in zip(x, weights, strict=True))
        inputs = np.zeros((steps, batch_size, self.input_width), np.float32)
        inputs[:, :, : self.dimensions] = np.moveaxis(x, 0, 2)
        noise = self.noise * words.normal(length, batch_size)
        inputs[:length, :, self.dimensions] = exact[:length] + noise
        inputs[length:, :, self.dimensions + 1] = 1
        targets = np.zeros((steps, batch_size, 1), np.float32)
        targets[length:, :, 0] = exact[length:]
        mask = np.zeros((steps, batch_size), np.float32)
        mask[length:] = 1
        return Batch(inputs, targets, mask, answer_start=length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Ridge regression: the mean of the value, given the examples."""
        length = self._examples(inputs)
        sequences = inputs.astype(np.float64).transpose(1, 0, 2)
        x = sequences[:, :, : self.dimensions]
        shown, values = x[:, :length], sequences[:, :length, self.dimensions, np.newaxis]
        # The precision of the weights before any example is their number.
        system = shown.transpose(0, 2, 1) @ shown
        system += self.noise**2 * self.dimensions * np.eye(self.dimensions)
        weights = np.linalg.solve(system, shown.transpose(0, 2, 1) @ values)
        solved: FloatArray = (x @ weights).transpose(1, 0, 2).astype(np.float32)
        return solved

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """All examples and the question itself."""
        length = self._examples(inputs)
        questions = np.arange(length, len(inputs))[:, np.newaxis]
        examples = np.tile(np.arange(length), (len(questions), 1))
        parts = np.concatenate([questions, examples], axis=1)
        return sources_at(inputs, parts[:, np.newaxis])

    def chance(self, length: int) -> Chance:
        """The best constant is 0, and values are standard normal numbers."""
        wrong = math.erfc(self.tolerance / math.sqrt(2))
        loss = 1 / (2 * self.tolerance**2) / math.log(2)
        return Chance(self.questions * wrong, self.questions * loss)

    def demand(self, length: int) -> int:
        """One for each example."""
        return length

    def _examples(self, inputs: FloatArray) -> int:
        """The number of examples: steps before the first question."""
        return int(inputs[:, 0, self.dimensions + 1].argmax())

"""In-context function: learn a threshold function from labelled examples, and label new ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.answer import Bits, Chance
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import SettingError, check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Task
from ntmbench.tasks.learn.thresholds import all_answers, says_yes

#: The oracle tries every function, two to the power of so many.
MAX_VARIABLES = 11


@register_task("in_context_function")
@dataclass(frozen=True)
class InContextFunction(Task):
    """Label new inputs as a hidden threshold function does (in kind, Garg et al. 2022).

    ``(101, yes) (011, no) (110, yes) 100? 001? -> yes no``.

    A length counts shots, the examples. An input is a vector of ``variables`` bits, an odd number.
    The function of a sequence has a wish for each bit, 0 or 1, and says yes if most bits are as it
    wishes: a linear threshold function whose weights are 1 and -1. Wishes and inputs are uniform.
    An example shows an input and its label, on one of two channels; a question shows an input
    alone, and its label is asked for at its step, 1 for yes. T = L + ``questions``, and the answer
    starts at step L. The input is not silent during the answer, so that a decoder must see it.

    The input does not always fix the answer. The oracle is exact: of all functions that agree with
    the examples, the share that says yes. By chance half of the answers are wrong. What one example
    says mostly follows from the others (of 12 at the default sizes, one in twelve changes an answer
    when it alone is another one), so that sources are not defined.

    The functions are this suite's own. The source's sections 3 and 5 learn linear functions,
    decision trees and small networks of real numbers; here are bits, so that all functions can be
    tried.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 40 % of the errors
    of chance, counted from the optimum.

    Two examples and two questions (inputs: bits, yes, no | target)::

        >>> from ntmbench.data.text import as_text
        >>> task = InContextFunction(variables=3, questions=2)
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        0 0 1 0 1 | .
        0 1 1 0 1 | .
        1 1 1 0 0 | 0
        0 1 0 0 0 | 0
    """

    #: Bits of an input, an odd number from 1 to 11.
    variables: int = 7
    #: Questions of a sequence, from 1 to 100000.
    questions: int = 4
    #: Fewest examples in training, from 1 to ``max_length``.
    min_length: int = 2
    #: Most examples in training, from 1 to 100000.
    max_length: int = 12

    family = "learn"
    axis = "shots"
    version = 1
    deterministic = False
    lengths = Lengths(12, test=(6, 12, 24, 48), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.variables", self.variables, 1, MAX_VARIABLES)
        if self.variables % 2 == 0:
            raise SettingError(
                f"task.variables={self.variables} is even. Allowed: odd numbers from 1 to "
                f"{MAX_VARIABLES}, such as {self.variables + 1}."
            )
        check_range("task.questions", self.questions, 1, MAX_LENGTH)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The bits of the input, and its label."""
        return (*map(str, range(self.variables)), "yes", "no")

    @property
    def input_width(self) -> int:
        """The input, and a channel for each label."""
        return self.variables + 2

    @property
    def answer(self) -> Bits:
        """The label."""
        return Bits(1)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the function and the inputs of each sequence."""
        steps = length + self.questions
        wishes = words.bits(batch_size, self.variables)
        bits = words.bits(steps, batch_size, self.variables)
        label = says_yes(wishes, bits)
        inputs = np.zeros((steps, batch_size, self.input_width), np.float32)
        inputs[:, :, : self.variables] = bits
        inputs[:length, :, self.variables] = label[:length]
        inputs[:length, :, self.variables + 1] = ~label[:length]
        targets = np.zeros((steps, batch_size, 1), np.float32)
        targets[length:, :, 0] = label[length:]
        mask = np.zeros((steps, batch_size), np.float32)
        mask[length:] = 1
        return Batch(inputs, targets, mask, answer_start=length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The share of yes among the functions that agree with all examples."""
        length = self._examples(inputs)
        answers = all_answers(inputs[:, :, : self.variables])  # [F, T, B]
        labels = inputs[:length, :, self.variables] == 1
        agrees = (answers[:, :length] == labels).all(axis=1)  # [F, B]
        yes = (answers & agrees[:, np.newaxis]).sum(axis=0)
        solved: FloatArray = (yes / agrees.sum(axis=0)).astype(np.float32)[:, :, np.newaxis]
        return solved

    def chance(self, length: int) -> Chance:
        """Either label is as likely, since the opposite wishes say the opposite."""
        return Chance.of_fair_bits(self.questions)

    def demand(self, length: int) -> int:
        """One for each example."""
        return length

    def _examples(self, inputs: FloatArray) -> int:
        """The number of examples: steps with a label."""
        return int(inputs[:, 0, self.variables :].sum())

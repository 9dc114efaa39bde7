"""Dynamic n-grams: predict the bits of a random n-gram source that is new in every sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Bits, Chance
from ntmbench.data.elementary import sine_squared
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Task


@register_task("ngrams")
@dataclass(frozen=True)
class NGrams(Task):
    """Predict each next bit of a source with a random table (Graves et al. 2014, section 4.4).

    ``0 1 1 0 1 ... -> 1 1 0 1 ...``: the input is bit t and the target is bit t + 1.

    A table is drawn for each sequence. It holds, for each context of ``context`` bits, the
    probability that a 1 follows, from Beta(1/2, 1/2). The first ``context`` bits are fair coins. A
    length counts bits, T = length - 1, and input and answer run side by side. Only the
    length - ``context`` bits that follow a whole context are scored. No predictor can do better
    than the oracle,
    (N1 + 1/2) / (N0 + N1 + 1), where N0 and N1 count the zeros and ones that followed the same
    context so far (section 4.4, equation 10). At the default size it needs 128.1 bits for the 195
    scored bits. The paper counts the five fair coins before them too, which gives its 133 of 200.
    A few sources in a thousand soon repeat one bit for ever, and the same sequence of that kind
    occurs in training and in the tests. By chance half of the scored bits are wrong. Sources are
    not defined: every bit so far has a part in the counts.

    Nine bits with a context of two (input | target; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> task = NGrams(context=2, min_length=9, max_length=9)
        >>> print(as_text(task.test_set(length=9, sequences=2), sequence=1))
        0 | .
        0 | 0
        0 | 1
        1 | 0
        0 | 0
        0 | 1
        1 | 0
        0 | 0
    """

    #: Bits of context that the next bit depends on, from 1 to 12; one less than the order n of the
    #: n-gram.
    context: int = 5
    #: Shortest training sequence, in bits, from ``context`` + 1 to ``max_length``.
    min_length: int = 200
    #: Longest training sequence, in bits, from ``context`` + 1 to 100000.
    max_length: int = 200

    family = "predict"
    axis = "bits"
    version = 1
    # Weights are selected at the training range's end and at one and a half times that. Tests use
    # the paper's length and twice that.
    lengths = Lengths(200, test=(200, 400), select=((1, 1), (3, 2)))
    deterministic = False

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.context", self.context, 1, 12)
        check_length_range(self.min_length, self.max_length, shortest=self.shortest_length)

    @property
    def input_width(self) -> int:
        """The current bit."""
        return 1

    @property
    def answer(self) -> Bits:
        """The next bit."""
        return Bits(1)

    @property
    def shortcuts(self) -> Shortcuts:
        """A source that repeats a bit tends to go on repeating it.

        The current bit alone saves a model 0.9 bits of cross-entropy and 7.7 wrong bits of 195
        (10,000 test sequences); the number of ones so far saves 17 %, and all bits so far 19 %.
        """
        return Shortcuts(current=0.08, bag=0.17, linear=0.19)

    @property
    def shortest_length(self) -> int:
        """A whole context and the bit that follows."""
        return self.context + 1

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a table and ``length`` bits for each sequence; nothing else varies."""
        bits = np.empty((length, batch_size), np.int64)
        bits[: self.context] = words.bits(self.context, batch_size)
        # Beta(1/2, 1/2) by its quantile function (the arcsine law).
        table = sine_squared(words.uniform(batch_size * self._contexts))
        coins = words.uniform(length - self.context, batch_size)

        # A state is a place in the flat table: the first of the sequence plus the context, whose
        # newest bit is the lowest. ``shifted`` makes room for the next bit.
        place = np.arange(batch_size * self._contexts)
        shifted = place - place % self._contexts + 2 * place % self._contexts
        state = np.arange(batch_size) * self._contexts + self._first_context(bits)
        for coin, bit in zip(coins, bits[self.context :], strict=True):
            np.less(coin, table.take(state), out=bit)
            state = shifted.take(state) + bit
        return self._batch(bits)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The optimal prediction, from what followed the same context so far."""
        bits = inputs[:, :, 0].astype(np.int64)
        steps, batch_size = bits.shape
        sequence = np.arange(batch_size)
        counts = np.zeros((batch_size, self._contexts, 2))
        context = self._first_context(bits)
        answer = np.full((steps, batch_size, 1), 0.5, np.float32)
        for step in range(self.context - 1, steps):
            zeros, ones = counts[sequence, context].T
            answer[step, :, 0] = (ones + 0.5) / (zeros + ones + 1)
            if step + 1 < steps:
                counts[sequence, context, bits[step + 1]] += 1
                context = (2 * context + bits[step + 1]) % self._contexts
        return answer

    def chance(self, length: int) -> Chance:
        """0 and 1 are equally likely as long as nothing is known about the table."""
        return Chance.of_fair_bits(length - self.context)

    def demand(self, length: int) -> int:
        """One for each context, whatever the length, since counts are enough."""
        return self._contexts

    @property
    def _contexts(self) -> int:
        return 1 << self.context

    def _first_context(self, bits: NDArray[np.int64]) -> NDArray[np.int64]:
        """The context ``[B]`` that the first bits of ``bits [T, B]`` form, the oldest highest."""
        return (1 << np.arange(self.context)[::-1]) @ bits[: self.context]

    def _batch(self, bits: NDArray[np.int64]) -> Batch:
        inputs = bits[:-1, :, np.newaxis].astype(np.float32)
        targets = bits[1:, :, np.newaxis].astype(np.float32)
        mask = np.ones(inputs.shape[:2], np.float32)
        unscored = self.context - 1
        targets[:unscored] = 0
        mask[:unscored] = 0
        return Batch(inputs, targets, mask, answer_start=0)

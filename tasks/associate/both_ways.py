"""Both ways: pairs of bit vectors, asked for by either half."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Bits, Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import exchanged_steps
from ntmbench.data.layout import answer_at_end, sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Task

#: Most bits of a half, so that the distinct halves of a sequence stay cheap to draw.
MOST_BITS = 10


@register_task("both_ways")
@dataclass(frozen=True)
class BothWays(Task):
    """Answer each half of a pair with the other half (after Csordas and Schmidhuber 2019).

    ``(a b) (c d) | (c .) (. b) -> d a``: K pairs, one a step, and then for each pair, in any order,
    one half of it, answered at the same step by its other half.

    Both halves have ``bits`` bits and channels of their own, and so have the signs "left" and
    "right", which tell which half is given; the channels of the other half are then 0. The left
    halves of a sequence are distinct, drawn uniformly, and so are the right halves. The order of
    the queries is uniform, and which half is given is a fair coin for each. T = 2K, the answer
    starts at step K, and the input is not silent during it.

    The source uses a look-up in both directions to show that a machine which finds words by their
    content must be able to leave a part of a word out of the comparison. Here a pair is one step,
    and every pair is asked for, so that one sequence holds both directions. There are few sequences
    of one pair (2,048 at the default sizes), so that those of the tests occur in training too.

    Two pairs of two bits (left, right, signs | targets; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> print(as_text(BothWays(bits=2, max_length=2).test_set(length=2, sequences=1)))
        1 1 0 0 0 0 | . .
        0 0 1 1 0 0 | . .
        0 0 0 0 0 1 | 1 1
        0 0 0 0 1 0 | 1 1
    """

    #: Bits of a half.
    bits: int = 5
    #: Fewest pairs in training.
    min_length: int = 1
    #: Most pairs in training.
    max_length: int = 6

    family = "associate"
    axis = "pairs"
    version = 1
    lengths = Lengths(6, test=(3, 6, 9, 12, 24), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.bits", self.bits, 1, MOST_BITS)
        check_range("task.max_length", self.max_length, 1, self._halves)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_width(self) -> int:
        """Both halves and two signs."""
        return 2 * self.bits + 2

    @property
    def input_names(self) -> tuple[str, ...]:
        """The bits of the left half and of the right one, and the signs."""
        halves = (f"{side}{bit}" for side in "lr" for bit in range(self.bits))
        return (*halves, "left", "right")

    @property
    def answer(self) -> Bits:
        """The half that is not given."""
        return Bits(self.bits)

    @property
    def longest_length(self) -> int:
        """As far as there are halves."""
        return self._halves

    @property
    def shortcuts(self) -> Shortcuts:
        """Each answer is one of the 2K halves shown, whose bits vote.

        Of 2K fair coins the mean excess of the majority is C(2K, K) / 4^K, as a share. The first
        pair and the last one tell an answer of K pairs, but not which half: a bit in two.
        """
        pairs = self.max_length
        one_pair = 1 / (2 * pairs)
        vote = math.comb(2 * pairs, pairs) / 4**pairs
        return Shortcuts(first=one_pair, last=one_pair, linear=vote)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` pairs, and the order and direction of the queries."""
        numbers = [distinct(words, length, self._halves, batch_size) for _ in range(2)]
        halves = (np.stack(numbers)[..., np.newaxis] >> np.arange(self.bits)) & 1  # [2, K, B, bits]
        order = distinct(words, length, length, batch_size)
        by_right = words.bits(length, batch_size)[..., np.newaxis] == 1
        left, right = np.take_along_axis(halves, order[np.newaxis, ..., np.newaxis], axis=1)

        inputs = np.zeros((2 * length, batch_size, self.input_width), np.float32)
        inputs[:length, :, : 2 * self.bits] = np.concatenate([*halves], axis=2)
        inputs[length:] = np.concatenate(
            [np.where(by_right, 0, left), np.where(by_right, right, 0), ~by_right, by_right], axis=2
        )
        answers = answer_at_end(np.where(by_right, left, right), 2 * length)
        mask = np.zeros(answers.shape[:2], np.float32)
        mask[length:] = 1
        return Batch(inputs, answers, mask, answer_start=length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Find the pair that has the half given, and give its other half."""
        found = self._places(inputs)[..., np.newaxis]
        left, right = (
            np.take_along_axis(half[: len(found)], found, axis=0) for half in self._split(inputs)
        )
        by_right = inputs[len(found) :, :, -1:] == 1
        return answer_at_end(np.where(by_right, left, right), len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query itself, and the step of its pair."""
        found = self._places(inputs)  # [K, B]
        queries = np.arange(len(found), len(inputs))[:, np.newaxis] + 0 * found
        return sources_at(inputs, np.stack([queries, found], axis=2))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """The left halves of two pairs exchanged, and two queries exchanged."""
        length = len(inputs) // 2
        pairs = exchanged_steps(inputs, range(length))
        pairs[..., self.bits :] = inputs[..., self.bits :]
        return np.concatenate([pairs, exchanged_steps(inputs, range(length, len(inputs)))])

    def chance(self, length: int) -> Chance:
        """Every bit of an answer is a fair coin."""
        return Chance.of_fair_bits(length * self.bits)

    def demand(self, length: int) -> int:
        """One for each pair."""
        return length

    def _split(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The channels of the left half and of the right one."""
        return inputs[..., : self.bits], inputs[..., self.bits : 2 * self.bits]

    def _places(self, inputs: FloatArray) -> Integers:
        """Which pair ``[K, B]`` each query asks for."""
        length = len(inputs) // 2
        same_left, same_right = (
            (half[length:, np.newaxis] == half[:length]).all(axis=3) for half in self._split(inputs)
        )
        by_right = inputs[length:, np.newaxis, :, -1] == 1
        places: Integers = np.where(by_right, same_right, same_left).argmax(axis=1)
        return places

    @property
    def _halves(self) -> int:
        """The number of different halves."""
        return 1 << self.bits

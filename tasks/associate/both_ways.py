"""Both ways: pairs of bit vectors, asked for by either half."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Bits, Chance
from ntmbench.data.choices import distinct
from ntmbench.data.edits import exchanged_steps
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Task
from ntmbench.tasks.associate.halves import answers_of, inputs_of, read

#: Most bits of a half, so that the distinct halves of a sequence stay cheap to draw.
MOST_BITS = 10


@register_task("both_ways")
@dataclass(frozen=True)
class BothWays(Task):
    """Answer each half of a pair with the other half (after Csordás and Schmidhuber 2019).

    ``(a b) (c d) | (c .) (. b) -> d a``: K pairs, one a step, and then for each pair, in any order,
    one half of it, answered at the same step by its other half.

    Both halves have ``bits`` bits and channels of their own, and so have the signs "left" and
    "right", which tell which half is given; the channels of the other half are then 0. The left
    halves of a sequence are distinct, drawn uniformly, and so are the right halves. The order of
    the queries is uniform, and which half is given is a fair coin for each. T = 2K, the answer
    starts at step K, and the input is not silent during it. By chance half of the bits are wrong.
    There are few sequences of one pair (2,048 at the default sizes), so that those of the tests
    occur in training too.

    The source uses a look-up in both directions to show that a machine which finds words by their
    content must be able to leave a part of a word out of the comparison. It asks for all pairs by
    their keys, and then for all by their values, which may be alike (Dataset/Bitmap/KeyValue2Way.py
    in its code). Here each pair is asked for once, in a direction of its own.

    Two pairs of two bits (left, right, signs | targets; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> print(as_text(BothWays(bits=2, max_length=2).test_set(length=2, sequences=1)))
        1 1 0 0 0 0 | . .
        0 0 1 1 0 0 | . .
        0 0 0 0 0 1 | 1 1
        0 0 0 0 1 0 | 1 1
    """

    #: Bits of a half, from 1 to 10.
    bits: int = 5
    #: Fewest pairs in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most pairs in training, from 1 to as many as there are halves, 2 to the power of ``bits``.
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
        return Shortcuts(first=one_pair, last=one_pair, bag=vote, linear=vote)

    @property
    def sources_that_matter(self) -> float:
        """All; but a single pair of equal halves answers either query alike."""
        return 1.0 if self.max_length > 1 else 0.5

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` pairs, and the order and direction of the queries."""
        numbers = [distinct(words, length, self._halves, batch_size) for _ in range(2)]
        halves = (np.stack(numbers)[..., np.newaxis] >> np.arange(self.bits)) & 1  # [2, K, B, bits]
        order = distinct(words, length, length, batch_size)
        by_right = words.bits(length, batch_size) == 1
        answers = answers_of(halves, order, by_right)
        mask = np.zeros(answers.shape[:2], np.float32)
        mask[length:] = 1
        return Batch(inputs_of(halves, order, by_right), answers, mask, answer_start=length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Find the pair that has the half given, and give its other half."""
        answers: FloatArray = answers_of(*read(inputs))
        return answers

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query itself, and the step of its pair."""
        _, found, _ = read(inputs)  # [K, B]
        queries = np.arange(len(found), len(inputs))[:, np.newaxis] + 0 * found
        return sources_at(inputs, np.stack([queries, found], axis=2))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Two left halves or two queries exchanged, the other half given, an answer inverted."""
        halves, places, by_right = read(inputs)
        length, sequence = len(places), np.arange(inputs.shape[1])
        exchanged = exchanged_steps(inputs, range(length))
        exchanged[..., self.bits :] = inputs[..., self.bits :]
        edits = [*exchanged, *exchanged_steps(inputs, range(length, len(inputs)))]
        for query, pair in enumerate(places):
            other_way = by_right.copy()
            other_way[query] ^= True
            edits.append(inputs_of(halves, places, other_way))
            answer = np.where(by_right[query], 0, 1), pair, sequence
            inverted = halves.copy()
            inverted[answer] ^= 1
            others = halves[answer[0], :, sequence]  # [B, K, bits]
            taken = (others == inverted[answer][:, np.newaxis]).all(axis=2).any(axis=1)
            inverted[:, :, taken] = halves[:, :, taken]
            edits.append(inputs_of(inverted, places, by_right))
        return np.stack(edits)

    def chance(self, length: int) -> Chance:
        """Every bit of an answer is a fair coin."""
        return Chance.of_fair_bits(length * self.bits)

    def demand(self, length: int) -> int:
        """One for each pair."""
        return length

    @property
    def _halves(self) -> int:
        """The number of different halves."""
        return 1 << self.bits

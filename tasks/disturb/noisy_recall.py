"""Noisy recall: look a key up by a query in which bits are flipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import places
from ntmbench.data.lengths import MAX_BITS, MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.tasks.disturb.pairs import BitArray, PairTask


@register_task("noisy_recall")
@dataclass(frozen=True)
class NoisyRecall(PairTask):
    """Answer a query, a key with flipped bits, with the key's value (after Poli et al. 2024).

    ``k1 v1 k2 v2 k3 v3 ?k2'? -> v2``, where k2' differs from k2 in L bits.

    A length counts the flipped bits: the strength of the noise. ``pairs`` pairs of a key and a
    value are shown, a vector a step, and then the query, a key with exactly L of its bits flipped.
    Keys, values, which key it is and which bits flip are uniform. Channels of their own are raised
    beside keys and query. The answer is the value of the key from which the query differs in the
    fewest bits, and of the first one if there are several: at strong noise this may be another key
    than the one that was drawn. T = 2 ``pairs`` + 2, and the answer is the last step. By chance
    half of its ``bits`` are wrong.

    The source (MAD) has two tasks in this direction: in its fuzzy in-context recall keys and values
    are several symbols long, and in its noisy one symbols without a meaning lie between the pairs.
    Here the query itself is damaged, so that it must be matched and not only found.

    No model of the gallery solves it with its budget: the best, ``lstm``, makes 63 % of the errors
    of chance.

    Two pairs and a query with one flipped bit (inputs: bits, key, query | targets)::

        >>> from ntmbench.data.text import as_text
        >>> task = NoisyRecall(bits=3, pairs=2, max_length=1)
        >>> print(as_text(task.test_set(length=1, sequences=1)))
        0 1 1 1 0 | . . .
        1 0 1 0 0 | . . .
        1 1 1 1 0 | . . .
        0 1 0 0 0 | . . .
        1 0 1 0 1 | . . .
        0 0 0 0 0 | 0 1 0
    """

    #: Bits of a vector, from 2 to 1024; at most half of them are flipped.
    bits: int = 16
    #: Pairs of a sequence, from 1 to 100000.
    pairs: int = 4
    #: Fewest flipped bits in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most flipped bits in training, from 1 to half of ``bits``.
    max_length: int = 3

    family = "disturb"
    axis = "flipped bits"
    version = 1
    lengths = Lengths(3, test=(1, 2, 3, 4, 5, 6, 8), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.bits", self.bits, 2, MAX_BITS)
        check_range("task.max_length", self.max_length, 1, self.bits // 2)
        check_length_range(self.min_length, self.max_length)
        check_range("task.pairs", self.pairs, 1, MAX_LENGTH)

    @property
    def longest_length(self) -> int:
        """Half of the bits."""
        return self.bits // 2

    def pairs_at(self, length: int) -> int:
        """As many, whatever the noise."""
        return self.pairs

    def flips_at(self, length: int, words: RandomWords, batch_size: int) -> BitArray:
        """Flip ``length`` bits."""
        flips = np.zeros((self.bits, batch_size), np.uint8)
        np.put_along_axis(flips, places(words, length, self.bits, batch_size), 1, axis=0)
        return flips.T

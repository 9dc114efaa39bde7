"""Aged recall: look a key up long after its pair was shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_sizes
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Variation
from ntmbench.tasks.disturb.pairs import BitArray, PairTask


@register_task("aged_recall")
@dataclass(frozen=True)
class AgedRecall(PairTask):
    """Answer a key with its value, long after both were shown.

    ``k1 v1 k2 v2 x y z ?k2? -> v2``, where x, y and z are chatter.

    A length counts the steps between the pairs and the query: the age. ``pairs`` pairs of a key and
    a value are shown, a vector a step, then L steps of chatter, which are vectors too, or of
    silence, and then one of the keys. All vectors and which key it is are uniform. Channels of
    their own are raised beside keys and query, by which chatter is told from keys; a value follows
    its key. If the key was shown more than once, the first one counts. T = 2 ``pairs`` + L + 2, and
    the answer is the last step. By chance half of its ``bits`` are wrong.

    With silence the task measures what a memory forgets by itself, and with chatter what it lets
    in. Variations test the other one of the two at all test lengths. The task is this suite's own.

    Two pairs and chatter of two steps (inputs: bits, key, query | targets)::

        >>> from ntmbench.data.text import as_text
        >>> task = AgedRecall(bits=3, pairs=2)
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        0 0 1 1 0 | . . .
        1 1 0 0 0 | . . .
        1 0 1 1 0 | . . .
        0 1 1 0 0 | . . .
        0 0 1 0 0 | . . .
        0 0 1 0 0 | . . .
        1 0 1 0 1 | . . .
        0 0 0 0 0 | 0 1 1
    """

    #: Pairs of a sequence, from 1 to 100000.
    pairs: int = 4
    #: Whether vectors are shown between pairs and query, or nothing is.
    chatter: bool = True
    #: Fewest steps between in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most steps between in training, from 1 to 100000.
    max_length: int = 10

    family = "disturb"
    axis = "steps of age"
    version = 1
    lengths = Lengths(10, test=(5, 10, 20, 40, 80, 160), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)
        check_range("task.pairs", self.pairs, 1, MAX_LENGTH)

    @property
    def variations(self) -> dict[str, Variation]:
        """Silence instead of chatter, or the other way round, at every test length."""
        kind = "silence" if self.chatter else "chatter"
        other = replace(self, chatter=not self.chatter)
        return {
            f"{length} steps of {kind}": Variation(other, length) for length in self.test_lengths
        }

    def pairs_at(self, length: int) -> int:
        """As many, however old they are."""
        return self.pairs

    def between_at(self, length: int, words: RandomWords, batch_size: int) -> BitArray:
        """``length`` vectors of chatter, or of silence."""
        if self.chatter:
            return words.bits(length, batch_size, self.bits)
        return np.zeros((length, batch_size, self.bits), np.uint8)

"""Odds first: give the symbols at odd places back, and then those at even ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.registry import register_task
from ntmbench.tasks.reproduce.rearrangement import Rearrangement


@register_task("odds_first")
@dataclass(frozen=True)
class OddsFirst(Rearrangement):
    """Give back the symbols at odd places, then the others (Delétang et al. 2023, table 2).

    ``a b c d e | -> a c e b d``; the first place is 1, and so an odd one.

    Inputs are one-hot symbols, each uniform, and a delimiter on a channel of its own. The input is
    silent during the answer. T = 2L + 1, and the answer starts at step L + 1. By chance
    1 - 1 / ``symbols`` of the answers are wrong. There are only ``symbols`` to the power of L
    sequences, so that short ones of the tests occur in training too.

    The source has two symbols (``task.symbols=2``) and trains on lengths from 1 to 40. Here there
    are 8, so that sequences of the longest training length do not repeat.

    Five symbols (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = OddsFirst()
        >>> print(as_words(task, task.test_set(length=5, sequences=1)))
        g d g h f | [g] [g] [f] [d] [h]
    """

    version = 1
    lengths = Lengths(20, test=(10, 20, 30, 40, 80), select=((1, 1), (3, 2)))

    def order(self, length: int) -> Integers:
        """The first place, the third and so on, and then the second, the fourth and so on."""
        places = np.arange(length)
        return np.concatenate([places[::2], places[1::2]])

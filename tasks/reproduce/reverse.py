"""Reverse: give the symbols back, the last one first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.registry import register_task
from ntmbench.tasks.reproduce.rearrangement import Rearrangement


@register_task("reverse")
@dataclass(frozen=True)
class Reverse(Rearrangement):
    """Give L symbols back in reverse (Delétang et al. 2023, table 2, "Reverse String").

    ``a b c | -> c b a``.

    Inputs are one-hot symbols, each uniform, and a delimiter on a channel of its own. The input is
    silent during the answer. T = 2L + 1, and the answer starts at step L + 1. By chance
    1 - 1 / ``symbols`` of the answers are wrong. There are only ``symbols`` to the power of L
    sequences, so that short ones of the tests occur in training too.

    The source has two symbols (``task.symbols=2``) and trains on lengths from 1 to 40. Here there
    are 8, so that sequences of the longest training length do not repeat. A stack solves it.

    Three symbols (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Reverse()
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        h g d | [d] [g] [h]
    """

    version = 1
    lengths = Lengths(20, test=(10, 20, 30, 40, 80), select=((1, 1), (3, 2)))

    def order(self, length: int) -> Integers:
        """From the last place to the first."""
        return np.arange(length)[::-1]

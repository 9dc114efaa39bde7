"""Duplicate: give the symbols back twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.registry import register_task
from ntmbench.tasks.reproduce.rearrangement import Rearrangement


@register_task("duplicate")
@dataclass(frozen=True)
class Duplicate(Rearrangement):
    """Give L symbols back twice in a row (Delétang et al. 2023, table 2, "Duplicate String").

    ``a b | -> a b a b``.

    Inputs are one-hot symbols, each uniform, and a delimiter on a channel of its own. The input is
    silent during the answer, so that nothing marks where the second copy begins. T = 3L + 1, and
    the answer starts at step L + 1. By chance 1 - 1 / ``symbols`` of the answers are wrong. There
    are only ``symbols`` to the power of L sequences, so that short ones of the tests occur in
    training too.

    The source has two symbols (``task.symbols=2``) and trains on lengths from 1 to 40. Here there
    are 8, so that sequences of the longest training length do not repeat.

    Two symbols (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Duplicate()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        f g | [f] [g] [f] [g]
    """

    version = 1
    lengths = Lengths(20, test=(10, 20, 30, 40, 80), select=((1, 1), (3, 2)))

    def order(self, length: int) -> Integers:
        """All places, twice."""
        return np.tile(np.arange(length), 2)

"""Parity: whether the number of ones is odd."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.data.vocabulary import numbered
from ntmbench.registry import register_task
from ntmbench.tasks.track.tracking import Tracking


@register_task("parity")
@dataclass(frozen=True)
class Parity(Tracking):
    """Say whether a string of bits has an odd number of ones (Delétang et al. 2023).

    ``1 0 1 1 | -> odd``.

    Inputs are one-hot symbols, 0 and 1, each bit a fair coin, and a delimiter on a channel of its
    own. The input is silent during the answer. T = L + 2, and the only answer is asked for at step
    L + 1. No part of the string says anything of its parity, only the whole. By chance half of the
    answers are wrong. There are 2 to the power of L sequences, so that short ones of the tests
    occur in training too.

    The source ("Parity Check", tasks/regular/parity_check.py in its code) trains on lengths from 1
    to 40, and has no delimiter.

    Three bits (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Parity()
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        0 0 0 | [even]
    """

    #: Longest training sequence, in bits, from 1 to 100000.
    max_length: int = 24

    axis = "bits"
    version = 1
    lengths = Lengths(24, test=(12, 24, 48, 96, 240), select=((1, 1), (3, 2)))

    @property
    def table(self) -> Integers:
        """A one changes the parity."""
        return np.array([[0, 1], [1, 0]])

    @property
    def symbol_names(self) -> tuple[str, ...]:
        """The bits."""
        return numbered("", 2)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The parities."""
        return ("even", "odd")

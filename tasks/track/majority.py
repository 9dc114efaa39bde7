"""Majority: whether a string has more ones than zeros."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, silence, symbols_of, then_answer, with_end
from ntmbench.data.vocabulary import END, numbered
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.track.tracking import chance_of


@register_task("majority")
@dataclass(frozen=True)
class Majority(SymbolTask):
    """Say whether a string of bits has more ones than zeros (Butoi et al. 2024, table 1).

    ``1 0 1 1 | -> yes``, ``1 0 | -> no``.

    Inputs are one-hot symbols, 0 and 1, each bit a fair coin, and a delimiter on a channel of its
    own. As many ones as zeros is no majority. The input is silent during the answer. T = L + 2, and
    the only answer is asked for at step L + 1. By chance the answer is no; (1 - p) / 2 of the
    answers are wrong, where p = C(L, L / 2) / 2^L for an even L and 0 for an odd one. There are 2
    to the power of L sequences, so that short ones of the tests occur in training too.

    The source ("Majority") trains recognisers. In its strings of the language each number of ones
    is equally likely, and some strings outside it are small changes of strings in it. Here every
    string is equally likely.

    Three bits (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Majority()
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        1 0 0 | [no]
    """

    #: Shortest training sequence, in bits, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest training sequence, in bits, from 1 to 100000.
    max_length: int = 24

    family = "track"
    axis = "bits"
    version = 1
    lengths = Lengths(24, test=(12, 24, 48, 96, 240), select=((1, 1), (3, 2)))
    # A bit matters where the others are in balance: 16 % of those of 24 bits in the mean. A few
    # strings have fewer.
    sources_that_matter = 0.05

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The bits and the delimiter."""
        return (*numbered("", 2), END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Whether ones are in the majority."""
        return ("no", "yes")

    def collision_entropy(self, length: int) -> float:
        """Every bit is a fair coin."""
        return float(length)

    @property
    def shortcuts(self) -> Shortcuts:
        """At one length a linear read-out is enough: the task is to count.

        The first of an odd number of bits decides where the others are in balance.
        """
        others = self.max_length - 1
        first = _in_balance(others) if others % 2 == 0 else 0.0
        return Shortcuts(first=first, bag=1.0, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw sequences of ``length`` bits, each a fair coin; nothing else varies."""
        shown = words.bits(length, batch_size).astype(np.int64)
        question = with_end(shown, 2)
        return self.batch(*then_answer(question, _majority(shown)), length + 1)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Count what came before the delimiter."""
        shown = symbols_of(inputs)[:-2]
        before = silence(len(inputs) - 1, shown.shape[1])
        return self.answered(np.concatenate([before, _majority(shown)]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Every bit."""
        length = len(inputs) - 2
        return sources_at(inputs, np.broadcast_to(np.arange(length), (1, inputs.shape[1], length)))

    def chance(self, length: int) -> Chance:
        """Half of the sequences that are not in balance have a majority of ones."""
        yes = (1 - _in_balance(length)) / 2
        chance: Chance = chance_of(np.array([1 - yes, yes]))
        return chance

    def demand(self, length: int) -> int:
        """One: the count."""
        return 1


def _majority(shown: Integers) -> Integers:
    """1 where bits ``[L, B]`` are more often 1 than 0, ``[1, B]``."""
    more: Integers = (2 * shown.sum(axis=0, keepdims=True) > len(shown)).astype(np.int64)
    return more


def _in_balance(length: int) -> float:
    """The probability of as many ones as zeros among fair bits."""
    return math.comb(length, length // 2) / 2**length if length % 2 == 0 else 0.0

"""Bucket sort: sort symbols of a small alphabet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.edits import other_symbols
from ntmbench.data.layout import first_raised
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import (
    SILENT,
    SymbolTask,
    check_symbols,
    symbols_of,
    then_answer,
    with_end,
)
from ntmbench.data.vocabulary import END, letters
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.order.moved import all_shown, share_moved
from ntmbench.tasks.order.ranks import at_most


@register_task("bucket_sort")
@dataclass(frozen=True)
class BucketSort(SymbolTask):
    """Sort L symbols of a small alphabet (Delétang et al. 2023, "Bucket Sort").

    ``c a b a | -> a a b c``.

    Each symbol is uniform, and so few are different that most come several times. A delimiter on a
    channel of its own ends them, and the input is silent during the answer. T = 2L + 1, and the
    answer starts at step L + 1. By chance 1 - 1 / ``symbols`` of the answers are wrong. There are
    few sequences of up to four symbols (625 of four at the default sizes), so that those of the
    tests occur in training too.

    The source (tasks/cs/bucket_sort.py in its code) has 5 symbols too, and no delimiter.

    Four symbols (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = BucketSort()
        >>> print(as_words(task, task.test_set(length=4, sequences=1)))
        d c d c | [c] [c] [d] [d]
    """

    #: Number of different symbols, from 2 to 4096.
    symbols: int = 5
    #: Shortest training sequence, in symbols, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest training sequence, in symbols, from 1 to 100000.
    max_length: int = 20

    family = "order"
    axis = "symbols"
    version = 1
    lengths = Lengths(20, test=(10, 20, 30, 40, 100), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols and the delimiter."""
        return (*self.output_names, END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The symbols, in their order."""
        return letters(self.symbols)

    @property
    def shortcuts(self) -> Shortcuts:
        """A place tells much of a sorted symbol, and the first symbol shown a little more.

        Both are exact, by the distribution of order statistics. How many symbols of a kind were
        shown is a sum, so that a linear read-out of one length comes near to sorting: the sum saved
        0.90 of the errors.
        """
        return Shortcuts(place=self._saved(0), first=self._saved(1), bag=0.9)

    @property
    def sources_that_matter(self) -> float:
        """Another symbol moves only those answers at which a run of equal ones begins or ends."""
        return 0.85 * float(share_moved(self.max_length, self.symbols))  # sequences vary

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw sequences of ``length`` symbols, each uniform; nothing else varies."""
        shown = words.integers(0, self.symbols - 1, length, batch_size)
        question = with_end(shown, self.symbols)
        return self.batch(*then_answer(question, np.sort(shown, axis=0)), length + 1)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Count the symbols of each kind, and give out as many of each."""
        shown, length = symbols_of(inputs), first_raised(inputs[:, :, self.symbols])
        counts = (shown[:length, :, np.newaxis] == np.arange(self.symbols)).sum(axis=0)
        ends = counts.cumsum(axis=1)  # [B, symbols]
        asked = np.full_like(shown, SILENT)
        places = np.arange(length)[:, np.newaxis, np.newaxis]
        asked[length + 1 :] = (places >= ends).sum(axis=2)
        return self.answered(asked)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """All symbols: each of them has its part in every place."""
        length = first_raised(inputs[:, :, self.symbols])
        sources: NDArray[np.bool_] = all_shown(inputs, length, length)
        return sources

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other symbols, one at a time."""
        return other_symbols(inputs, slice(self.symbols))

    def chance(self, length: int) -> Chance:
        """Over all steps of the answer every symbol is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.symbols)

    def demand(self, length: int) -> int:
        """A count for each symbol of the alphabet, whatever the length."""
        return self.symbols

    def _saved(self, known: int) -> float:
        """The share of errors saved by the place and the first ``known`` symbols, 0 or 1 of them.

        The best answer is the likeliest symbol of the place, at the longest training length.
        """
        length, symbols = self.max_length, self.symbols
        right = 0.0
        for first in range(symbols**known):
            below = np.arange(1, symbols + 1) / symbols  # of another symbol being at most each
            known_below = known * (first <= np.arange(symbols))
            # P(a symbol of the place is at most s): more than ``place`` symbols are.
            each = np.array(
                [
                    at_most(length - known, np.arange(length) - more, share)
                    for share, more in zip(below, known_below, strict=True)
                ]
            )
            right += float(np.diff(1 - each, axis=0, prepend=0).max(axis=0).sum()) / symbols**known
        return (right / length - 1 / symbols) / (1 - 1 / symbols)

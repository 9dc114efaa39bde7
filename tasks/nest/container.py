"""What the tasks of a container have in common: it is filled, changed, and then emptied."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.edits import other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import (
    SILENT,
    SymbolTask,
    check_symbols,
    pad_before,
    silence,
    symbols_of,
    then_answer,
    with_end,
)
from ntmbench.data.vocabulary import END, letters
from ntmbench.task import Batch, FloatArray


@dataclass(frozen=True)
class Container(SymbolTask):
    """Fill a container, put in and take out L times, and say what is left, in order, and its end.

    A subclass says in ``left`` what is taken out, and in which order the rest is given back.
    """

    #: Number of different symbols, from 2 to 4096.
    symbols: int = 4
    #: Fewest operations in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most operations in training, from 1 to 100000.
    max_length: int = 10

    family = "nest"
    axis = "operations"

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols)
        check_length_range(self.min_length, self.max_length)

    @abstractmethod
    def left(self, entering: NDArray[np.bool_], leaving: NDArray[np.bool_]) -> Integers:
        """The steps at which what is left entered, in the order of the answer.

        Args:
            entering: whether a symbol enters at each step, ``[S, B]``.
            leaving: whether one leaves, if there is any.

        Returns:
            ``[S, B]``, SILENT after the last.
        """

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols at the beginning, those put in, the sign to take out, and the delimiter."""
        content = letters(self.symbols)
        return (*content, *(f"+{symbol}" for symbol in content), "pop", END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The symbols and the end."""
        return (*letters(self.symbols), "end")

    @property
    def place_saves(self) -> float:
        """The share of chance's errors that is saved by knowing which answers are ends."""
        sizes = _sizes(self.max_length)
        more = 1 - sizes.cumsum()
        right = float(np.maximum(sizes, more / self.symbols).sum())
        wrong = self.chance(self.max_length).errors
        return (right - (_answers(self.max_length) - wrong)) / wrong

    @property
    def sources_that_matter(self) -> float:
        """All but that of the end, which does not depend on any symbol."""
        return 0.8 * (1 - 1 / _answers(min(self.max_length, 5)))  # at 5 operations; sizes vary

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the content at the beginning and ``length`` operations."""
        first = words.integers(1, length, batch_size)
        content = words.integers(0, self.symbols - 1, length, batch_size)
        added = words.integers(self.symbols, 2 * self.symbols - 1, length, batch_size)
        operations = np.where(words.bits(length, batch_size) == 1, 2 * self.symbols, added)
        shown = np.concatenate([pad_before(content, first), operations])
        question = with_end(shown, 2 * self.symbols + 1)
        return self.batch(*then_answer(question, self._answers(shown)), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Carry out one operation after the other."""
        shown = symbols_of(inputs)[: len(inputs) // 2 - 1]
        before = silence(len(shown) + 1, shown.shape[1])
        return self.answered(np.concatenate([before, self._answers(shown)]))

    def collision_entropy(self, length: int) -> float:
        """Sizes at the beginning, their symbols, operations and the symbols put in are alike."""
        begin = sum(self.symbols**-size for size in range(1, length + 1)) / length**2
        return -math.log2(begin) - length * math.log2((1 + 1 / self.symbols) / 4)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step at which the symbol entered; for the end, the delimiter's."""
        shown = symbols_of(inputs)[: len(inputs) // 2 - 1]
        steps = self._steps_left(shown)
        rank = np.arange(len(steps))[:, np.newaxis]
        steps = np.where(rank == (steps != SILENT).sum(axis=0), len(shown), steps)
        return sources_at(inputs, steps)

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other symbols, at the beginning and put in."""
        beginning = slice(self.symbols)
        added = slice(self.symbols, 2 * self.symbols)
        return np.concatenate([other_symbols(inputs, beginning), other_symbols(inputs, added)])

    def chance(self, length: int) -> Chance:
        """One answer of a sequence is the end, and the symbols are equally likely."""
        answers = _answers(length)
        shares = np.array([1, *[(answers - 1) / self.symbols] * self.symbols]) / answers
        loss = -float((shares * np.log2(shares)).sum()) * answers
        return Chance(answers * (1 - float(shares.max())), loss)

    def demand(self, length: int) -> int:
        """One for each symbol that may be in the container."""
        return 2 * length

    def _steps_left(self, shown: Integers) -> Integers:
        """``left`` for what is shown before the delimiter, and one more row for the end."""
        leaving = shown == 2 * self.symbols
        steps = self.left((shown != SILENT) & ~leaving, leaving)
        return np.concatenate([steps, silence(1, shown.shape[1])])

    def _answers(self, shown: Integers) -> Integers:
        """What is left of what is shown ``[S, B]``, and the end, ``[S + 1, B]``."""
        steps = self._steps_left(shown)
        symbols = np.take_along_axis(shown, steps.clip(0), axis=0) % self.symbols
        rank = np.arange(len(steps))[:, np.newaxis]
        size = (steps != SILENT).sum(axis=0)
        return np.where(rank < size, symbols, np.where(rank == size, self.symbols, SILENT))


def _sizes(length: int) -> NDArray[np.float64]:
    """How likely each size ``[2L + 1]`` is after so many operations."""
    sizes = np.zeros(2 * length + 1)
    sizes[1 : length + 1] = 1 / length
    for _ in range(length):
        after = np.zeros_like(sizes)
        after[1:] += sizes[:-1] / 2
        after[:-1] += sizes[1:] / 2
        after[0] += sizes[0] / 2  # nothing leaves an empty container
        sizes = after
    return sizes


def _answers(length: int) -> float:
    """How many answers a sequence has in the mean, the end included."""
    sizes = _sizes(length)
    return 1 + float(sizes @ np.arange(len(sizes)))

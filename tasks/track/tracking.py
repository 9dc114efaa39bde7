"""What tasks have in common that follow a state, and the one that names it at the end."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, silence, symbols_of, then_answer, with_end
from ntmbench.data.vocabulary import END
from ntmbench.task import Batch, FloatArray


def follow(table: Integers, symbols: Integers, start: int | Integers = 0) -> Integers:
    """The state after each symbol, ``[L, B]``.

    Args:
        table: the state that follows on each state and symbol, ``[states, symbols]``.
        symbols: ``[L, B]``.
        start: the state before the first symbol, one for all sequences or ``[B]``.
    """
    states = np.empty_like(symbols)
    state = start
    for step, symbol in enumerate(symbols):
        states[step] = state = table[state, symbol]
    return states


def chance_of(probabilities: NDArray[np.float64]) -> Chance:
    """The chance of one answer with these probabilities, which add up to 1."""
    likely = probabilities[probabilities > 0]
    return Chance(1 - float(likely.max()), -sum(p * math.log2(p) for p in likely.tolist()))


@dataclass(frozen=True)
class Tracking(SymbolTask):
    """Follow a state from 0 through L symbols, each uniform, and name it after a delimiter.

    A subclass says in ``table`` which state follows on each, and names symbols and states.
    """

    #: Shortest training sequence, in symbols, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest training sequence, in symbols, from 1 to 100000.
    max_length: int = 20

    family = "track"

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_length_range(self.min_length, self.max_length)

    @property
    @abstractmethod
    def table(self) -> Integers:
        """The state that follows on each state and symbol, ``[states, symbols]``."""

    @property
    @abstractmethod
    def symbol_names(self) -> tuple[str, ...]:
        """The word for each symbol."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols and the delimiter."""
        return (*self.symbol_names, END)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw sequences of ``length`` symbols, each uniform; nothing else varies."""
        kinds = len(self.symbol_names)
        shown = words.integers(0, kinds - 1, length, batch_size)
        last = follow(self.table, shown)[-1:]
        return self.batch(*then_answer(with_end(shown, kinds), last), length + 1)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The state after what came before the delimiter."""
        shown = symbols_of(inputs)[:-2]
        last = follow(self.table, shown)[-1:]
        return self.answered(np.concatenate([silence(len(inputs) - 1, shown.shape[1]), last]))

    def collision_entropy(self, length: int) -> float:
        """Every symbol is uniform."""
        return length * math.log2(len(self.symbol_names))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Every symbol."""
        length = len(inputs) - 2
        return sources_at(inputs, np.broadcast_to(np.arange(length), (1, inputs.shape[1], length)))

    def chance(self, length: int) -> Chance:
        """How likely each state is after so many uniform symbols."""
        states, kinds = self.table.shape
        following = np.zeros((states, states))  # [from, to]
        for symbol in range(kinds):
            following[np.arange(states), self.table[:, symbol]] += 1 / kinds
        return chance_of(np.linalg.matrix_power(following, length)[0])

    def demand(self, length: int) -> int:
        """One: the state."""
        return 1

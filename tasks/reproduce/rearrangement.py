"""What tasks have in common that give the symbols shown back in another order."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import (
    SymbolTask,
    check_symbols,
    silence,
    symbols_of,
    then_answer,
    with_end,
)
from ntmbench.data.vocabulary import END, letters
from ntmbench.data.votes import saved_by_votes
from ntmbench.task import Batch, FloatArray, Shortcuts


@dataclass(frozen=True)
class Rearrangement(SymbolTask):
    """Give L symbols back after a delimiter, in an order that their number alone decides.

    A subclass says in ``order`` which place each answer comes from.
    """

    #: Number of different symbols, from 2 to 4096.
    symbols: int = 8
    #: Shortest training sequence, in symbols, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest training sequence, in symbols, from 1 to 100000.
    max_length: int = 20

    family = "reproduce"
    axis = "symbols"

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols)
        check_length_range(self.min_length, self.max_length)

    @abstractmethod
    def order(self, length: int) -> Integers:
        """The places ``[A]`` of the symbols that are answered, for ``length`` symbols shown."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols and the delimiter."""
        return (*self.output_names, END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The symbols."""
        return letters(self.symbols)

    @property
    def shortcuts(self) -> Shortcuts:
        """At one length a linear read-out is enough; the first symbol answers for itself.

        Knowing all symbols without their order, the most frequent one is likeliest.
        """
        length = self.max_length
        return Shortcuts(
            first=float((self.order(length) == 0).mean()),
            bag=saved_by_votes(length, self.symbols),
            linear=1.0,
        )

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw sequences of ``length`` symbols, each uniform; nothing else varies."""
        shown = words.integers(0, self.symbols - 1, length, batch_size)
        question = with_end(shown, self.symbols)
        return self.batch(*then_answer(question, shown[self.order(length)]), length + 1)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Put what came before the delimiter in order."""
        shown = symbols_of(inputs)
        order = self.order(self._length(inputs))
        before = silence(len(inputs) - len(order), inputs.shape[1])
        return self.answered(np.concatenate([before, shown[order]]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the symbol itself."""
        return sources_at(inputs, self.order(self._length(inputs)))

    def chance(self, length: int) -> Chance:
        """Every symbol is as likely as any other."""
        return Chance.of_uniform_symbols(len(self.order(length)), self.symbols)

    def demand(self, length: int) -> int:
        """One for each symbol."""
        return length

    def _length(self, inputs: FloatArray) -> int:
        """The number of symbols before the delimiter."""
        return int(inputs[:, 0, self.symbols].argmax())

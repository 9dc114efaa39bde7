"""Selective copy: give back the symbols that lie scattered among blanks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, places
from ntmbench.data.edits import other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
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
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts


@register_task("selective_copy")
@dataclass(frozen=True)
class SelectiveCopy(SymbolTask):
    """Give back the L symbols that lie among blanks, in order (Poli et al. 2024, section 3).

    ``. a . . b . | -> a b``, where a dot is a blank.

    The question has ``blanks`` blanks for each symbol; which of its L (1 + ``blanks``) steps have
    the symbols is uniform over all choices, and so is each symbol. Blank and delimiter have
    channels of their own, and the input is silent during the answer.
    T = L (1 + ``blanks``) + 1 + L, and the answer starts at its last L steps. By chance
    1 - 1 / ``symbols`` of the answers are wrong.

    An answer is made of its symbol. How many symbols came before decides which one it is, so that
    the steps before it decide too, and are no sources.

    The source ("selective copying") keeps the number of steps at 256 and of symbols at 16, and
    marks each step of the answer with an insert token, which silence does here.

    Two symbols of four among four blanks (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = SelectiveCopy(symbols=4, blanks=2)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        b . d . . . | [b] [d]
    """

    #: Number of different symbols, from 2 to 4096.
    symbols: int = 8
    #: Blanks for each symbol, from 0 to 100000.
    blanks: int = 3
    #: Fewest symbols to keep in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most symbols to keep in training, from 1 to 100000.
    max_length: int = 10

    family = "reproduce"
    axis = "symbols to keep"
    version = 1
    lengths = Lengths(10, test=(5, 10, 15, 20, 40), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols)
        check_range("task.blanks", self.blanks, 0, MAX_LENGTH)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols, the blank and the delimiter."""
        return (*self.output_names, ".", END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The symbols."""
        return letters(self.symbols)

    @property
    def shortcuts(self) -> Shortcuts:
        """The first step may be a symbol, which answers for itself.

        Knowing all symbols without their order, the most frequent one is likeliest. Places vary
        little at either end, so that a linear read-out finds more: 0.45 were saved.
        """
        return Shortcuts(
            first=1 / (1 + self.blanks) / self.max_length,
            bag=saved_by_votes(self.max_length, self.symbols),
            linear=0.45,
        )

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` symbols and their places; nothing else varies."""
        kept = words.integers(0, self.symbols - 1, length, batch_size)
        steps = length * (1 + self.blanks)
        shown = np.full((steps, batch_size), self.symbols)
        np.put_along_axis(shown, places(words, length, steps, batch_size), kept, axis=0)
        question = with_end(shown, self.symbols + 1)
        return self.batch(*then_answer(question, kept), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Leave the blanks out."""
        found = self._places(inputs)
        kept = np.take_along_axis(symbols_of(inputs), found, axis=0)
        before = silence(len(inputs) - len(found), inputs.shape[1])
        return self.answered(np.concatenate([before, kept]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the symbol itself; which of the others are blank only decides its place."""
        return sources_at(inputs, self._places(inputs))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other symbols at the same places."""
        return other_symbols(inputs, slice(self.symbols))

    def chance(self, length: int) -> Chance:
        """Every symbol is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.symbols)

    def demand(self, length: int) -> int:
        """One for each symbol that is kept."""
        return length

    def _kept(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Whether each step shows a symbol that is not a blank."""
        kept: NDArray[np.bool_] = inputs[..., : self.symbols].max(axis=-1) == 1
        return kept

    def _places(self, inputs: FloatArray) -> Integers:
        """The steps ``[L, B]`` of the symbols."""
        kept = self._kept(inputs)
        found: Integers = (~kept).argsort(axis=0, kind="stable")[: kept[:, 0].sum()]
        return found

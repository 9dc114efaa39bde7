"""Bracketed arithmetic: the result of sums, differences and products of bracketed ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.edits import other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of, then_answer
from ntmbench.data.vocabulary import numbered
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray
from ntmbench.tasks.nest.expressions import (
    OPEN,
    PLUS,
    SIGNS,
    TIMES,
    likely_results,
    result,
    written,
)


@register_task("bracketed_arithmetic")
@dataclass(frozen=True)
class BracketedArithmetic(SymbolTask):
    """Calculate with brackets, modulo 5 (Delétang et al. 2023, "Modular Arithmetic").

    ``( ( 3 + 4 ) * ( 2 - 1 ) ) = -> 2``: every operator has its own pair of brackets.

    A length is the number of operators, L. Numbers, operators, brackets and the sign ``=`` are
    one-hot symbols. Numbers and operators are uniform. Of n operators in a bracket one is its own,
    and from 0 to n - 1 are on its left, each number equally likely; the others are on its right.
    The input is silent during the answer. T = 4L + 3, and the only answer is asked for at step
    4L + 2. Products with 0 make 0 the likeliest result, and hide what is in their brackets. By
    chance 0 is answered; its probability follows from those of all results of fewer operators.
    There are 75 sequences of one operator, so that those of the tests occur in training too.

    An answer is made of numbers and operators. The brackets decide which of them belong together,
    and are no sources.

    The source (tasks/dcf/modular_arithmetic_brackets.py in its code) splits a bracket's length, not
    its operators, and has signs before numbers. Products are an option there.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 88 % of the errors
    of chance.

    Two operators (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = BracketedArithmetic()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        ( 4 - ( 3 + 3 ) ) = [3]
    """

    #: Results are counted modulo this, from 2 to 64.
    modulus: int = 5
    #: Fewest operators in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most operators in training, from 1 to 100000.
    max_length: int = 8

    family = "nest"
    axis = "operators"
    version = 1
    lengths = Lengths(8, test=(4, 8, 12, 16, 32), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("modulus", self.modulus, most=64)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The numbers, the operators, the brackets and the sign that the answer begins."""
        return (*self.output_names, *SIGNS)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The numbers."""
        return numbered("", self.modulus)

    @property
    def sources_that_matter(self) -> float:
        """A product with 0 hides the other factor; 0.72 mattered for nine operators modulo 5."""
        return 0.75 * (1 - 1 / self.modulus)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the shape of the brackets, the numbers and the operators."""
        split = words.uniform(length, batch_size)
        number = words.integers(0, self.modulus - 1, length + 1, batch_size)
        operator = words.integers(PLUS, TIMES, length, batch_size)
        shown = written(split, number, operator, self.modulus)
        return self.batch(*then_answer(shown, result(shown, self.modulus)), len(shown))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Calculate at each closing bracket what is inside."""
        shown = symbols_of(inputs)[:-1]
        last = result(shown, self.modulus)
        return self.answered(np.concatenate([silence(*shown.shape), last]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Every number and every operator; the brackets say which belong together."""
        shown = symbols_of(inputs)
        chosen = (shown >= 0) & (shown < self.modulus + OPEN)
        steps = (~chosen).argsort(axis=0, kind="stable")[: chosen[:, 0].sum()]
        return sources_at(inputs, steps.T[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other numbers and other operators."""
        numbers, operators = slice(self.modulus), slice(self.modulus, self.modulus + OPEN)
        return np.concatenate([other_symbols(inputs, numbers), other_symbols(inputs, operators)])

    def chance(self, length: int) -> Chance:
        """0 is likelier than other results."""
        shares = likely_results(self.modulus, length)
        likely = shares[shares > 0]
        return Chance(1 - float(shares.max()), -float((likely * np.log2(likely)).sum()))

    def demand(self, length: int) -> int:
        """One for each bracket that may be open."""
        return length

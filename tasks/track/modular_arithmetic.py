"""Modular arithmetic: the result of sums, differences and products, from left to right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.edits import other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of, then_answer
from ntmbench.data.vocabulary import numbered
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray
from ntmbench.tasks.track.tracking import follow

#: The numbers of the operators; their words.
PLUS, MINUS, TIMES = range(3)
OPERATORS = ("+", "-", "*")


@register_task("modular_arithmetic")
@dataclass(frozen=True)
class ModularArithmetic(SymbolTask):
    """Calculate from left to right, modulo 5 (Delétang et al. 2023, "Modular Arithmetic (Simple)").

    ``3 + 4 * 2 - 1 = -> 3``, since (7 * 2 - 1) mod 5 is 3: no operator goes before another.

    A length is the number of terms, L. Numbers, operators and the sign ``=`` are one-hot symbols.
    The first term, the operators, and the terms that are added and subtracted are uniform. A factor
    is uniform among the numbers that share no divisor with the modulus (1 to 4 for 5). The input is
    silent during the answer. T = 2L + 1, and the only answer is asked for at step 2L. By chance
    1 - 1 / ``modulus`` of the answers are wrong. There are 5 sequences of one term and 70 of two,
    so that those of the tests occur in training too.

    In the source (tasks/regular/modular_arithmetic.py in its code) products go before sums, and a
    factor may be 0, which makes 0 the likeliest result, and terms before it idle. Here every result
    is equally likely whatever was the last term, and hence any part of the terms says next to
    nothing.

    No model of the gallery solves it with its budget: the best, ``seq2seq``, makes 28 % of the
    errors of chance.

    Three terms (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = ModularArithmetic()
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        0 * 2 + 1 = [1]
    """

    #: Results are counted modulo this, from 2 to 64.
    modulus: int = 5
    #: Fewest terms in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most terms in training, from 1 to 100000.
    max_length: int = 10

    family = "track"
    axis = "terms"
    version = 1
    lengths = Lengths(10, test=(5, 10, 20, 40, 100), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("modulus", self.modulus, most=64)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The numbers, the operators and the sign that the answer begins."""
        return (*self.output_names, *OPERATORS, "=")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The numbers."""
        return numbered("", self.modulus)

    @property
    def sources_that_matter(self) -> float:
        """A factor of 0 does not matter, nor do + and - before a 0, or before half the modulus."""
        hiding = math.gcd(2, self.modulus) / self.modulus
        return 0.9 * (1 - hiding / 2)  # questions vary

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` terms and the operators between them."""
        factors = _factors(self.modulus)
        number = words.integers(0, self.modulus - 1, length, batch_size)
        operator = words.integers(PLUS, TIMES, length - 1, batch_size)
        factor = factors[words.integers(0, len(factors) - 1, length - 1, batch_size)]
        number[1:] = np.where(operator == TIMES, factor, number[1:])
        question = np.empty((2 * length, batch_size), np.int64)
        question[::2] = number
        question[1:-1:2] = self.modulus + operator
        question[-1] = self.modulus + len(OPERATORS)
        return self.batch(*then_answer(question, self._result(question)), 2 * length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Apply one operator after the other to the first number."""
        question = symbols_of(inputs)[:-1]
        before = silence(*question.shape)
        return self.answered(np.concatenate([before, self._result(question)]))

    def collision_entropy(self, length: int) -> float:
        """Numbers are uniform, operators too, and so are the factors after a times sign."""
        term = (2 / self.modulus + 1 / len(_factors(self.modulus))) / len(OPERATORS) ** 2
        return math.log2(self.modulus) - (length - 1) * math.log2(term)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Every number and operator."""
        steps = len(inputs) - 2
        return sources_at(inputs, np.broadcast_to(np.arange(steps), (1, inputs.shape[1], steps)))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other numbers and other operators, but for factors that could not be drawn."""
        operators = slice(self.modulus, self.modulus + len(OPERATORS))
        edits = np.concatenate(
            [other_symbols(inputs, slice(self.modulus)), other_symbols(inputs, operators)]
        )
        shown = symbols_of(edits)
        multiplied = shown[:, 1:-3:2] == self.modulus + TIMES
        drawn = np.isin(shown[:, 2:-2:2], _factors(self.modulus))
        return where_possible(inputs, edits, (drawn | ~multiplied).all(axis=1))

    def chance(self, length: int) -> Chance:
        """Every result is as likely as any other."""
        return Chance.of_uniform_symbols(1, self.modulus)

    def demand(self, length: int) -> int:
        """One: the result so far."""
        return 1

    def _result(self, question: Integers) -> Integers:
        """The result ``[1, B]`` of a question ``[2L, B]``."""
        number, operator = question[::2], question[1:-1:2] - self.modulus
        so_far = follow(_table(self.modulus), operator * self.modulus + number[1:], number[0])
        return np.concatenate([number[:1], so_far])[-1:]


@cache
def _factors(modulus: int) -> Integers:
    """The numbers that share no divisor with the modulus, by which every product is reached."""
    return np.array([number for number in range(modulus) if math.gcd(number, modulus) == 1])


@cache
def _table(modulus: int) -> Integers:
    """The result of each number with each operator and number, ``[modulus, 3 modulus]``."""
    one, other = np.arange(modulus)[:, np.newaxis], np.arange(modulus)
    return np.concatenate([one + other, one - other, one * other], axis=1) % modulus

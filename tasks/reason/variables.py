"""Variables: follow copies of copies back to a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import exchanged_steps, other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, symbols_of, then_answer
from ntmbench.data.vocabulary import made_up, numbered
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts


@register_task("variables")
@dataclass(frozen=True)
class Variables(SymbolTask):
    """Say which number a variable has after L copies (Hsieh et al. 2024, RULER, variable tracking).

    ``x = 3 , y = 7 , u = y , v = x ? v -> 3``: two chains of one copy each, without the commas.

    Each of C ``chains`` begins with a variable that is given a number, and goes on with L
    variables, each a copy of the one before. The assignments come in L + 1 rounds of C: a round
    takes every chain one link further. Then a question mark and the last variable of a chain ask
    for its number. An assignment has three steps, all symbols have channels of their own, and the
    input is silent at the answer. T = 3 C (L + 1) + 3; the last step answers.

    The variables of a sequence are distinct, and uniform over all choices. So are the numbers,
    which may be equal, the order of the chains in each round, and the chain that is asked for. By
    chance 1 - 1/``values`` of the answers are wrong.

    The source hides its chains in a long text and asks for all variables of a value. Here there is
    nothing but chains, and one number is asked for.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 50 % of the errors
    of chance.

    Two copies in each of two chains (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Variables()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        dupo = 5 paki = 1 dosa = paki nanu = dupo feno = dosa vamo = nanu ? vamo [5]
    """

    #: Number of different variables, from ``chains`` (``max_length`` + 1) to 4096.
    names: int = 40
    #: Number of different numbers, from 2 to 4096.
    values: int = 8
    #: Chains, of which one is asked for, from 1 to half of ``names``.
    chains: int = 2
    #: Fewest copies in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most copies in training, from 1 to ``names`` / ``chains`` - 1, rounded down.
    max_length: int = 4

    family = "reason"
    axis = "hops"
    version = 1
    lengths = Lengths(4, test=(2, 4, 8, 16), select=((1, 1), (3, 2)))
    sentence_steps = 3

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("values", self.values)
        check_range("task.chains", self.chains, 1, MAX_LENGTH)
        check_symbols("names", self.names, fewest=2 * self.chains)
        check_range("task.max_length", self.max_length, 1, self.longest_length)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The numbers, the variables, the sign of an assignment, and the question mark."""
        return (*self.output_names, *made_up(self.names), "=", "?")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The numbers."""
        return numbered("", self.values)

    @property
    def longest_length(self) -> int:
        """The most copies for which there are variables."""
        return self.names // self.chains - 1

    @property
    def shortcuts(self) -> Shortcuts:
        """One of the chains' numbers answers, and all of them are shown."""
        return Shortcuts(bag=1 / self.chains, linear=1 / self.chains)

    @property
    def sources_that_matter(self) -> float:
        """All that lead to a chain whose number is another one; of one chain, its number alone."""
        return 0.85 if self.chains > 1 else 0.0

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the numbers, the variables, the order of each round, and the chain asked for."""
        shape = (length + 1, self.chains, batch_size)
        value = words.integers(0, self.values - 1, self.chains, batch_size)
        name = distinct(words, shape[0] * shape[1], self.names, batch_size).reshape(shape)
        name = name + self.values  # [round, chain, B]
        order = words.uniform(*shape).argsort(axis=1, kind="stable")
        copied = np.concatenate([value[np.newaxis], name[:-1]])
        left, right = (np.take_along_axis(of, order, axis=1) for of in (name, copied))
        facts = np.stack([left, np.full(shape, self._equals), right], axis=2)
        asked = words.integers(0, self.chains - 1, 1, batch_size)
        question = np.stack([np.full_like(asked, self._equals + 1), _of(name[-1], asked)])
        shown = np.concatenate([facts.reshape(-1, batch_size), question[:, 0]])
        return self.batch(*then_answer(shown, _of(value, asked)), len(shown))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look the variable up on the left, then what stands on the right, until it is a number."""
        found = _of(symbols_of(inputs), 3 * self._path(inputs)[-1:] + 2)
        return self.answered(np.concatenate([np.full(inputs.shape[:2], -1)[1:], found]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The variable asked for, and both sides of each assignment on the way back."""
        left = 3 * self._path(inputs)
        steps = np.concatenate([left, left + 2, np.full_like(left[:1], len(inputs) - 2)])
        return sources_at(inputs, steps.T[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other numbers, variables of a round exchanged, and another of the last round asked."""
        rounds = range(0, len(inputs) - 3, 3 * self.chains)
        found = [other_symbols(inputs, slice(self.values))]
        for begin in rounds:
            left = range(begin, begin + 3 * self.chains, 3)
            found += [exchanged_steps(inputs, left)]
            found += [exchanged_steps(inputs, [step + 2 for step in left])]
        asked = np.repeat(inputs[np.newaxis], self.chains, axis=0)
        asked[:, -2] = inputs[rounds[-1] : -3 : 3]
        return np.concatenate([*found, asked])

    def chance(self, length: int) -> Chance:
        """Every number is as likely as any other."""
        return Chance.of_uniform_symbols(1, self.values)

    def demand(self, length: int) -> int:
        """One for each assignment, since it may be on the way."""
        return self.chains * (length + 1)

    @property
    def _equals(self) -> int:
        return self.values + self.names

    def _path(self, inputs: FloatArray) -> Integers:
        """The assignments ``[L + 1, B]`` from the variable asked for back to its number."""
        shown = symbols_of(inputs)
        left, right = shown[:-3:3], shown[2:-3:3]
        found, path = shown[-2], []
        for _ in range(len(left) // self.chains):
            path.append((left == found).argmax(axis=0))
            found = _of(right, path[-1][np.newaxis])[0]
        return np.stack(path)


def _of(symbols: Integers, places: Integers) -> Integers:
    """The symbols ``[A, B]`` at the places ``[A, B]`` of ``[L, B]``."""
    return np.take_along_axis(symbols, places, axis=0)

"""Random automata: predict strings of a finite automaton that is new in every sequence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, symbols_of
from ntmbench.data.vocabulary import END, letters
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts

#: Most symbols: the optimal prediction weighs (S!)^S automata, 216 for three and 331,776 for four.
MOST_SYMBOLS = 3


@register_task("random_automata")
@dataclass(frozen=True)
class RandomAutomata(SymbolTask):
    """Predict each next symbol of strings of a random automaton (after Akyürek et al. 2024).

    ``| a a b | b a b -> a a b . b a b .``, where a dot is not asked for.

    An automaton is drawn for each sequence, and K strings of ``size`` symbols from it, each after a
    delimiter. It has as many states as there are symbols, S. In state i every symbol but the i-th
    may come, all equally likely, and moves to the next state. How a symbol moves the states is a
    permutation of them, uniform for each symbol, and each string begins in a uniform state. Every
    symbol of a string is predicted, at the step before. T = K (``size`` + 1), input and answer run
    side by side, and the step of a string's last symbol is not scored.

    No predictor can do better than the oracle. It keeps the probability of each of the (S!)^S
    automata together with each state, given the symbols so far, and updates it by Bayes' rule. At
    the default sizes it makes 34.8 errors on 64 symbols, with a loss of 84.2 bits; a predictor
    that knew automaton and state would make 32, with 64 bits. By chance K ``size`` (1 - 1/S) of the
    answers are wrong. Sources are not defined: every symbol so far bears on the probabilities.

    The kind of automaton is not that of the source ("RegBench"). States and symbols are few here,
    one symbol is missing in each state, and moves are permutations, so that the exact prediction
    over all automata is within reach.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 16 % of the errors
    of chance, counted from the optimum.

    Two strings of three symbols (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = RandomAutomata(size=3)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        | [b] b [c] c [b] b | [a] a [b] b [b] b
    """

    #: Number of different symbols, and of states, from 2 to 3.
    symbols: int = 3
    #: Symbols of a string, from 1 to 100000.
    size: int = 8
    #: Fewest strings in training, from 1 to ``max_length``.
    min_length: int = 8
    #: Most strings in training, from 1 to 100000.
    max_length: int = 8

    family = "predict"
    axis = "strings"
    version = 1
    lengths = Lengths(8, test=(8, 16, 32), select=((1, 1), (3, 2)))
    deterministic = False

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols, most=MOST_SYMBOLS)
        check_range("task.size", self.size, 1, MAX_LENGTH)
        check_length_range(self.min_length, self.max_length)

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
        """A symbol moves states as it did before, and is missing in one of them.

        The current symbol saved 0.03 of the errors, and a bag of all symbols 0.07.
        """
        return Shortcuts(current=0.03, bag=0.07)

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw an automaton and ``length`` strings for each sequence; nothing else varies."""
        automata = _automata(self.symbols)
        moves = automata[words.integers(0, len(automata) - 1, batch_size)]  # [B, symbols, states]
        state = words.integers(0, self.symbols - 1, length, batch_size)
        chosen = words.integers(0, self.symbols - 2, self.size, length, batch_size)
        sequence = np.arange(batch_size)
        shown = np.full((length, self.size + 1, batch_size), self.symbols)
        for step, symbol in enumerate(chosen):
            symbol += symbol >= state  # the state's own symbol is missing
            shown[:, step + 1] = symbol
            state = moves[sequence, symbol, state]
        asked = np.roll(shown, -1, axis=1)
        asked[:, -1] = SILENT
        return self.batch(shown.reshape(-1, batch_size), asked.reshape(-1, batch_size), 0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The optimal prediction, from the probabilities of all automata and states."""
        shown = symbols_of(inputs)
        steps, batch_size = shown.shape
        automata = _automata(self.symbols)
        count, states = len(automata), self.symbols
        # Where the weight of each automaton in each state was before a symbol moved it, [symbols,
        # automata x states].
        before = automata.argsort(axis=2) + states * np.arange(count)[:, np.newaxis, np.newaxis]
        before = before.swapaxes(0, 1).reshape(self.symbols, -1)

        weights = np.full((batch_size, count * states), 1 / (count * states))
        others = 1 - np.eye(states)
        solved = np.zeros((steps, batch_size, self.symbols), np.float32)
        for step, symbols in enumerate(shown):
            if symbols[0] == self.symbols:
                of_automaton = weights.reshape(batch_size, count, states).mean(axis=2)
                weights = np.repeat(of_automaton, states, axis=1)
            else:
                for symbol in range(self.symbols):
                    here = np.flatnonzero(symbols == symbol)
                    part = weights[here]
                    part[:, symbol::states] = 0
                    part /= part.sum(axis=1, keepdims=True)
                    weights[here] = part.take(before[symbol], axis=1)
            in_state = weights.reshape(batch_size, count, states).sum(axis=1)
            solved[step] = in_state @ others / (self.symbols - 1)
        return solved

    def chance(self, length: int) -> Chance:
        """All symbols are equally likely as long as nothing is known about the automaton."""
        return Chance.of_uniform_symbols(length * self.size, self.symbols)

    def demand(self, length: int) -> int:
        """One for each symbol in each state, whatever the length."""
        return self.symbols * self.symbols


@cache
def _automata(symbols: int) -> Integers:
    """Every automaton: for each symbol, the state that it leads to from each state.

    ``[(symbols!)^symbols, symbols, states]``.
    """
    moves = list(permutations(range(symbols)))
    return np.array(list(product(moves, repeat=symbols)))

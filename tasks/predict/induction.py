"""Induction: say what followed the last time that a symbol was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import exchanged_steps, other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of
from ntmbench.data.vocabulary import letters
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts

#: Most symbols: as many steps come before the first answer.
MOST_SYMBOLS = 256


@register_task("induction")
@dataclass(frozen=True)
class Induction(SymbolTask):
    """Say what followed the last time this symbol was seen (after Poli et al. 2024).

    ``a c b c c a -> . . . b c c``: c was followed by b, then by itself, and a by c.

    First each of S = ``symbols`` symbols is shown once, in an order drawn uniformly. Then come L
    more, each uniform, and each is answered at its step with the symbol that followed its last
    appearance before, which may be the symbol itself. So every answer is uniform whatever the
    symbol of the step is. T = S + L, and input and answer run side by side; the first S steps are
    not scored. A length counts the answers. By chance L (1 - 1/S) of them are wrong.

    In the source ("in-context recall") keys and values alternate, have vocabularies of their own,
    and a key keeps its value. Here every symbol is a value and then a key, and what follows it
    changes, so that a model must keep only what came last.

    Four answers on three symbols (in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Induction(symbols=3)
        >>> print(as_words(task, task.test_set(length=4, sequences=1)))
        a c b b [b] a [c] c [b] b [a]
    """

    #: Number of different symbols, from 2 to 256.
    symbols: int = 8
    #: Fewest answers in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most answers in training, from 1 to 100000.
    max_length: int = 20

    family = "predict"
    axis = "answers"
    version = 1
    lengths = Lengths(20, test=(10, 20, 30, 40, 100), select=((1, 1), (3, 2)))
    sources_that_matter = 0.97  # with few symbols some cannot change alone

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols, most=MOST_SYMBOLS)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols."""
        return letters(self.symbols)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The symbols."""
        return letters(self.symbols)

    @property
    def shortcuts(self) -> Shortcuts:
        """The symbol before the current one answers more often than others: it is the answer if the
        current one was last seen there, or just before it, and as often as any other if not.

        That makes 1/S + (S-1)/S^2 + (S-1)/S^2, so that a linear read-out saves 2/S. A symbol that
        was shown often answers more often: a bag of symbols saved 1.2/S. The first symbol of all is
        never the first answer, and later ones more rarely than others.
        """
        others = self.symbols - 1
        return Shortcuts(first=1 / others**2, bag=1.2 / self.symbols, linear=2 / self.symbols)

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw an order of all symbols, and ``length`` further ones; nothing else varies."""
        order = distinct(words, self.symbols, self.symbols, batch_size)
        further = words.integers(0, self.symbols - 1, length, batch_size)
        shown = np.concatenate([order, further])
        answers = np.take_along_axis(shown, self._places(shown) + 1, axis=0)
        asked = np.concatenate([silence(self.symbols, batch_size), answers])
        return self.batch(shown, asked, answer_start=0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Keep a table of what followed each symbol, and read it before it is written over."""
        shown = symbols_of(inputs)
        steps, batch_size = shown.shape
        sequence = np.arange(batch_size)
        follows = np.zeros((self.symbols, batch_size), np.int64)
        asked = silence(steps, batch_size)
        for step in range(1, steps):
            follows[shown[step - 1], sequence] = shown[step]
            if step >= self.symbols:
                asked[step] = follows[shown[step], sequence]
        return self.answered(asked)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The symbol, its last appearance, and the one after; that none is between is its place."""
        found = self._places(symbols_of(inputs))
        now = np.arange(self.symbols, len(inputs))[:, np.newaxis] + 0 * found
        return sources_at(inputs, np.stack([now, found, found + 1], axis=2))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other symbols and exchanged ones, if no other answer comes from another place then."""
        beginning, later = range(self.symbols), range(self.symbols, len(inputs))
        each = np.arange(self.symbols)[:, np.newaxis]
        edits = np.concatenate(
            [
                other_symbols(inputs, slice(None)),
                exchanged_steps(inputs, beginning),
                exchanged_steps(inputs, later),
            ]
        )
        before = self._places(symbols_of(inputs))
        changed = (edits != inputs).any(axis=3)  # [E, T, B]
        possible = []
        for edited, steps in zip(edits, changed, strict=True):
            shown = symbols_of(edited)
            moved = self._places(shown) != before
            meant = steps[self.symbols :] | np.take_along_axis(steps, before, axis=0)
            all_shown = (np.sort(shown[: self.symbols], axis=0) == each).all(axis=0)
            possible.append(all_shown & (~moved | meant).all(axis=0))
        return where_possible(inputs, edits, np.stack(possible))

    def chance(self, length: int) -> Chance:
        """Every symbol is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.symbols)

    def demand(self, length: int) -> int:
        """One for each symbol, whatever the length."""
        return self.symbols

    def _places(self, shown: Integers) -> Integers:
        """The step ``[L, B]`` at which each later symbol of ``shown [T, B]`` was seen before."""
        sequence = np.arange(shown.shape[1])
        seen = np.zeros((self.symbols, len(sequence)), np.int64)
        found = np.empty_like(shown)
        for step, symbols in enumerate(shown):
            found[step] = seen[symbols, sequence]
            seen[symbols, sequence] = step
        return found[self.symbols :]

"""Delay: give each symbol back a number of steps later, all the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of
from ntmbench.data.vocabulary import letters
from ntmbench.data.votes import saved_by_votes
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts


@register_task("delay")
@dataclass(frozen=True)
class Delay(SymbolTask):
    """Give each symbol back k steps after it was shown (Bendi-Ouis et al. 2026, "postcasting").

    ``a b c d e -> . . a b c`` with k = 2.

    A length is the delay k. A symbol is shown at every step, each uniform, and from step k on the
    one of k steps before is asked for, ``answers`` times. At step k a channel of its own is raised
    once, beside the symbol: the answer begins. A model can tell the delay from that alone, so that
    one model is trained and tested at several. T = k + ``answers``. Input and answer run side by
    side. By chance 1 - 1 / ``symbols`` of the answers are wrong.

    The source (CogScale, "discrete postcasting" in cogscale/tasks.py of its code) has one delay for
    training and tests, and no sign. There the input ends with as many blanks as the delay has
    steps, during which the last symbols are given back.

    No model of the gallery solves it with its budget: the best, ``lstm``, makes 17 % of the errors
    of chance.

    Three answers with a delay of two (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Delay(symbols=4, answers=3)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        a c d now [a] b [c] b [d]
    """

    #: Number of different symbols, from 2 to 4096.
    symbols: int = 8
    #: Symbols asked for in a sequence, from 1 to 100000.
    answers: int = 20
    #: Shortest delay in training, in steps, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest delay in training, in steps, from 1 to 100000.
    max_length: int = 10

    family = "reproduce"
    axis = "steps of delay"
    version = 1
    lengths = Lengths(10, test=(5, 10, 15, 20, 40), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols)
        check_range("task.answers", self.answers, 1, MAX_LENGTH)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols, and the sign that the answer begins."""
        return (*self.output_names, "now")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The symbols."""
        return letters(self.symbols)

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    @property
    def shortcuts(self) -> Shortcuts:
        """At one delay a linear read-out is enough; the first symbol answers for itself.

        Knowing all symbols before the current one without their order, the most frequent one is
        likeliest.
        """
        before = range(self.max_length, self.max_length + self.answers)
        votes = sum(saved_by_votes(shown, self.symbols) for shown in before) / self.answers
        return Shortcuts(first=1 / self.answers, bag=votes, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a symbol for each step; nothing else varies."""
        shown = words.integers(0, self.symbols - 1, length + self.answers, batch_size)
        asked = np.concatenate([silence(length, batch_size), shown[: self.answers]])
        batch = self.batch(shown, asked, answer_start=0)
        batch.inputs[length, :, self.symbols] = 1
        return batch

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The symbols from as many steps before as had passed when the sign came."""
        delay = self._delay(inputs)
        shown = symbols_of(inputs[:, :, : self.symbols])
        return self.answered(np.concatenate([silence(delay, inputs.shape[1]), shown[:-delay]]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the symbol itself."""
        return sources_at(inputs, np.arange(len(inputs) - self._delay(inputs)))

    def chance(self, length: int) -> Chance:
        """Every symbol is as likely as any other."""
        return Chance.of_uniform_symbols(self.answers, self.symbols)

    def demand(self, length: int) -> int:
        """One for each step of the delay."""
        return length

    def _delay(self, inputs: FloatArray) -> int:
        """The step at which the answer begins."""
        return int(inputs[:, 0, self.symbols].argmax())

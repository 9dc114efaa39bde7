"""Periodic: fill in the hidden places of a repeating pattern."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, places
from ntmbench.data.layout import first_raised, sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, silence, symbols_of
from ntmbench.data.vocabulary import END, letters
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation


@register_task("periodic")
@dataclass(frozen=True)
class Periodic(SymbolTask):
    """Name the hidden symbols of a repeating pattern (after Bendi-Ouis et al. 2026).

    ``a b c | ? b ? a ? c -> a . c . b .``, where a dot is not asked for.

    A pattern of p symbols, each uniform, is shown once, and then a delimiter, which tells the
    period. The pattern goes on for ``repeats`` periods, of whose steps one half (rounded up) is
    hidden: which of them is uniform over all choices. A hidden step shows a question mark and is
    answered at once. A length is the period p. T = p + 1 + ``repeats`` p, and the answer starts at
    step p + 1. The input is not silent during it. By chance 1 - 1/``symbols`` of the answers are
    wrong. Variations test a pattern that goes on for twice and four times as many periods.

    The source (CogScale, "pattern completion") has one length for training and tests. There are few
    patterns of up to three symbols (512 of three at the default sizes, though hidden in different
    places), so that those of the tests occur in training too.

    A pattern of three symbols (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Periodic(repeats=2)
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        c h b | c h ? [b] ? [c] h ? [b]
    """

    #: Number of different symbols, from 2 to 4096.
    symbols: int = 8
    #: Periods after the first one, in which steps are hidden, from 1 to 100000.
    repeats: int = 3
    #: Shortest period in training, in steps, from 1 to ``max_length``.
    min_length: int = 1
    #: Longest period in training, in steps, from 1 to 100000.
    max_length: int = 10

    family = "predict"
    axis = "steps of the period"
    version = 1
    lengths = Lengths(10, test=(5, 10, 15, 20, 40), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols)
        check_range("task.repeats", self.repeats, 1, MAX_LENGTH)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols, the delimiter and the sign of a hidden step."""
        return (*self.output_names, END, "?")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The symbols."""
        return letters(self.symbols)

    @property
    def variations(self) -> dict[str, Variation]:
        """More periods than in training, at the longest training length."""
        return {
            f"{repeats} repeats": Variation(replace(self, repeats=repeats), self.max_length)
            for repeats in (2 * self.repeats, 4 * self.repeats)
            if repeats <= MAX_LENGTH
        }

    @property
    def shortcuts(self) -> Shortcuts:
        """At one period a linear read-out is enough; the first symbol answers for itself.

        What is shown often is in the pattern: a bag of symbols saved 0.15 of the errors.
        """
        return Shortcuts(first=1 / self.max_length, bag=0.15, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a pattern of ``length`` symbols and the hidden steps; nothing else varies."""
        pattern = words.integers(0, self.symbols - 1, length, batch_size)
        repeated = np.tile(pattern, (self.repeats, 1))
        hidden = places(words, self._hidden(length), len(repeated), batch_size)
        shown, asked = repeated.copy(), np.full_like(repeated, SILENT)
        np.put_along_axis(shown, hidden, self.symbols + 1, axis=0)
        np.put_along_axis(asked, hidden, np.take_along_axis(repeated, hidden, axis=0), axis=0)
        end = np.full((1, batch_size), self.symbols)
        return self.batch(
            np.concatenate([pattern, end, shown]),
            np.concatenate([silence(length + 1, batch_size), asked]),
            answer_start=length + 1,
        )

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The symbol of the last period in which this place was shown."""
        shown, newest = symbols_of(inputs), self._newest(inputs)
        hidden = shown == self.symbols + 1
        found = np.take_along_axis(shown, newest, axis=0)
        return self.answered(np.where(hidden, found, SILENT))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The last step that showed the symbol; earlier ones show the same."""
        hidden = symbols_of(inputs) == self.symbols + 1
        steps = np.where(hidden, self._newest(inputs), -1)
        return sources_at(inputs, steps)

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Another symbol at a place of the pattern, wherever it is shown."""
        period = first_raised(inputs[:, :, self.symbols])
        edited = []
        for place in range(period):
            steps = np.array([place, *range(period + 1 + place, len(inputs), period)])
            for shift in range(1, self.symbols):
                edited.append(inputs.copy())
                edited[-1][steps, :, : self.symbols] = np.roll(
                    inputs[steps, :, : self.symbols], shift, axis=2
                )
        return np.stack(edited)

    def chance(self, length: int) -> Chance:
        """Every symbol is as likely as any other."""
        return Chance.of_uniform_symbols(self._hidden(length), self.symbols)

    def demand(self, length: int) -> int:
        """One for each step of the pattern."""
        return length

    def _hidden(self, length: int) -> int:
        """The number of hidden steps."""
        return (self.repeats * length + 1) // 2

    def _newest(self, inputs: FloatArray) -> Integers:
        """For each step ``[T, B]`` the last one until then that showed its place's symbol."""
        shown, period = symbols_of(inputs), first_raised(inputs[:, :, self.symbols])
        newest = np.broadcast_to(np.arange(len(shown))[:, np.newaxis], shown.shape).copy()
        for step in range(period + 1, len(shown)):
            before = newest[step - period - (step <= 2 * period)]
            newest[step] = np.where(shown[step] == self.symbols + 1, before, step)
        return newest

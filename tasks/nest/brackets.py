"""Brackets: which closing bracket is due, at every step of a well-nested string."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, one_hot, symbols_of
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation
from ntmbench.tasks.nest.shapes import (
    Floats,
    likely_after,
    open_brackets,
    opening,
    with_other_kinds,
)

OPENING, CLOSING = tuple("({<["), tuple(")}>]")

#: Deeper nesting would need much memory for long strings.
MAX_DEPTH = 100


@register_task("brackets")
@dataclass(frozen=True)
class Brackets(SymbolTask):
    """Say at every step which closing bracket is due (as DuSell and Chiang 2020 do in kind).

    ``( { } ( ) ) -> ) } ) ) ) none``: strings of L pairs of brackets of k kinds, Dyck-k.

    Every bracket is a one-hot symbol. At each step, the bracket of that step included, the closing
    one is asked for that belongs to the last bracket that is still open, or ``none``. T = 2L. Input
    and answer run side by side. All well-nested shapes of L pairs, no more than ``max_depth`` open
    at once, are equally likely, and so are the kinds of every pair. By chance one symbol is always
    answered; if ``none`` is due at a share p of all steps in the mean, max(p, (1 - p) / k) of the
    answers are right. There are few sequences of few pairs (2 of one and 8 of two, for two kinds),
    so that those of the tests occur in training too.

    An answer is made of the kind of the bracket that is due. Which brackets open and close decides
    which one that is, and they are no sources.

    The source (src/nsrnn/grammars/dyck.py in its code) is about language modelling. What opens next
    is chance, so that here only what the string decides is asked for.

    Three pairs (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Brackets()
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        { [}] { [}] } [}] ( [)] ) [}] } [none]
    """

    #: Number of kinds of brackets, from 1 to 4.
    kinds: int = 2
    #: Most brackets that are open at once, from 1 to 100.
    max_depth: int = 10
    #: Fewest pairs in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most pairs in training, from 1 to 100000.
    max_length: int = 20

    family = "nest"
    axis = "pairs"
    version = 1
    lengths = Lengths(20, test=(10, 20, 30, 40, 80), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("kinds", self.kinds, fewest=1, most=len(OPENING))
        check_range("task.max_depth", self.max_depth, 1, MAX_DEPTH)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The opening brackets and the closing ones."""
        return OPENING[: self.kinds] + CLOSING[: self.kinds]

    @property
    def output_names(self) -> tuple[str, ...]:
        """The closing brackets, and none."""
        return (*CLOSING[: self.kinds], "none")

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    @property
    def variations(self) -> dict[str, Variation]:
        """Twice as deep, at four times the longest training length."""
        depth, length = 2 * self.max_depth, 4 * self.max_length
        if depth > MAX_DEPTH or length > MAX_LENGTH:
            return {}
        deeper = Variation(replace(self, max_depth=depth), length)
        return {f"length {length}, depth {depth}": deeper}

    @property
    def shortcuts(self) -> Shortcuts:
        """An opening bracket answers for itself, and at its place ``none`` has a probability.

        The first bracket is due until it is closed, where nothing else is open. A linear read-out
        counts how many of each kind are open, which saved 0.79, and weighs the last most: 0.90 were
        saved.
        """
        likely = likely_after(self.max_length, self.max_depth)
        none, opened, first, kinds = likely.none, likely.opened, likely.first, self.kinds
        return Shortcuts(
            place=self._saved(np.maximum(none, (1 - none) / kinds)),
            current=self._saved(opened + np.maximum(none, (1 - opened - none) / kinds)),
            first=self._saved(np.maximum(none, first + (1 - first - none) / kinds)),
            bag=0.79,
            linear=0.9,
        )

    @property
    def sources_that_matter(self) -> float:
        """Not the kind of what was closed where nothing is open."""
        likely = likely_after(min(self.max_length, 10), self.max_depth)
        return 0.9 * (1 - float(likely.none.mean()))  # strings vary

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a shape, and a kind for each pair."""
        likely = opening(length, self.max_depth)
        luck = words.uniform(2 * length, batch_size)
        kind = words.integers(0, self.kinds - 1, 2 * length, batch_size)
        opens = np.empty((2 * length, batch_size), bool)
        depth = np.zeros(batch_size, np.int64)
        for step in range(2 * length):
            opens[step] = luck[step] < likely[step, depth]
            depth += np.where(opens[step], 1, -1)
        due, closed = open_brackets(opens)
        partner_kind = np.take_along_axis(kind, closed.clip(0), axis=0)
        shown = np.where(opens, kind, self.kinds + partner_kind)
        return self.batch(shown, self._due(shown, due), answer_start=0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Keep the open brackets on a stack."""
        shown = symbols_of(inputs)
        due, _ = open_brackets(shown < self.kinds)
        return self.answered(self._due(shown, due))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_] | None:
        """The step at which the bracket opened that is due; the step itself where none is.

        With one kind of brackets only the steps that decide are left, and this is not defined.
        """
        return None if self.kinds == 1 else self.shown_at(inputs)

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The same, with one kind too."""
        due, _ = open_brackets(symbols_of(inputs) < self.kinds)
        return sources_at(inputs, np.where(due == SILENT, np.arange(len(due))[:, np.newaxis], due))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Each pair by itself, of another kind."""
        edited = with_other_kinds(symbols_of(inputs), self.kinds)
        return one_hot(edited, self.input_width)

    def chance(self, length: int) -> Chance:
        """The kinds are equally likely, and every return to the beginning asks for ``none``."""
        steps = 2 * length
        none = float(likely_after(length, self.max_depth).none.sum()) / steps
        shares = np.array([*[(1 - none) / self.kinds] * self.kinds, none])
        return Chance(
            steps * (1 - float(shares.max())), -steps * float((shares * np.log2(shares)).sum())
        )

    def demand(self, length: int) -> int:
        """One for each bracket that may be open."""
        return min(length, self.max_depth)

    def _due(self, shown: Integers, due: Integers) -> Integers:
        """The answers, from the steps at which the brackets opened that are due."""
        kind = np.take_along_axis(shown, due.clip(0), axis=0)
        return np.where(due == SILENT, self.kinds, kind)

    def _saved(self, right: Floats) -> float:
        """The share of chance's errors saved if the answers ``[T]`` are right so often."""
        wrong = self.chance(self.max_length).errors
        return (wrong - float((1 - right).sum())) / wrong

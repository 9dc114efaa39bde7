"""Repeat previous: name the suit of the card that was dealt a number of steps ago."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import MAX_SYMBOLS, SymbolTask, check_symbols, silence, symbols_of
from ntmbench.data.vocabulary import letters
from ntmbench.data.votes import saved_by_votes
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts


@register_task("repeat_previous")
@dataclass(frozen=True)
class RepeatPrevious(SymbolTask):
    """Name the suit of the card dealt k steps ago (Morad et al. 2023, "RepeatPrevious").

    ``a3 c1 b2 a2 -> . . a c`` with k = 2.

    A length is the number of steps k. A card is dealt at every step: a suit, written as a letter,
    and a rank, with one channel for each card. The rank means nothing. Each card is uniform. From
    step k on, the suit of the card of k steps before is asked for, ``answers`` times. At step k a
    channel of its own is raised once, beside the card: the actions begin, and k can be told from
    that alone. T = k + ``answers``. Cards and actions run side by side.

    By chance 1 - 1 / ``suits`` of the answers are wrong.

    The source (POPGym) is reinforcement learning with one k at a time. There, only suits are seen,
    and cards come from a shuffled deck, so that the card dealt now tells a little of the one dealt
    before. Here nothing but memory tells it.

    No model of the gallery solves it with its budget: the best, ``lstm``, makes 9 % of the errors
    of chance.

    Three actions with k = 2 (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = RepeatPrevious(answers=3)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        b0 b0 a3 now [b] c3 [b] b3 [a]
    """

    #: Number of suits, from 2 to 4096.
    suits: int = 4
    #: Number of ranks, from 1 to as many as make 4096 cards.
    ranks: int = 4
    #: Suits asked for in a sequence, from 1 to 100000.
    answers: int = 20
    #: Fewest steps ago in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most steps ago in training, from 1 to 100000.
    max_length: int = 10

    family = "act"
    axis = "steps ago"
    version = 1
    lengths = Lengths(10, test=(5, 10, 15, 20, 40), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("suits", self.suits)
        check_symbols("ranks", self.ranks, fewest=1, most=MAX_SYMBOLS // self.suits)
        check_range("task.answers", self.answers, 1, MAX_LENGTH)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The cards, suit after suit, and the sign that the actions begin."""
        cards = (f"{suit}{rank}" for suit in letters(self.suits) for rank in range(self.ranks))
        return (*cards, "now")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The suits."""
        return letters(self.suits)

    @property
    def has_input_phase(self) -> bool:
        """Cards and actions run side by side."""
        return False

    @property
    def shortcuts(self) -> Shortcuts:
        """At one length a linear read-out is enough; the first card answers for itself.

        Knowing all cards before the current one without their order, the most frequent suit is
        likeliest.
        """
        votes = [
            saved_by_votes(self.max_length + answer, self.suits) for answer in range(self.answers)
        ]
        return Shortcuts(first=1 / self.answers, bag=sum(votes) / self.answers, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a card for each step; nothing else varies."""
        card = words.integers(0, self.suits * self.ranks - 1, length + self.answers, batch_size)
        suit = card[: self.answers] // self.ranks
        asked = np.concatenate([silence(length, batch_size), suit])
        batch = self.batch(card, asked, answer_start=0)
        batch.inputs[length, :, -1] = 1
        return batch

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The suits from as many steps before as had passed when the sign came."""
        steps_ago = self._steps_ago(inputs)
        suit = symbols_of(inputs[:-steps_ago, :, :-1]) // self.ranks
        return self.answered(np.concatenate([silence(steps_ago, inputs.shape[1]), suit]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the card itself."""
        return sources_at(inputs, np.arange(len(inputs) - self._steps_ago(inputs)))

    def chance(self, length: int) -> Chance:
        """Every suit is as likely as any other."""
        return Chance.of_uniform_symbols(self.answers, self.suits)

    def demand(self, length: int) -> int:
        """One for each card since then."""
        return length

    def _steps_ago(self, inputs: FloatArray) -> int:
        """The step at which the actions begin."""
        return int(inputs[:, 0, -1].argmax())

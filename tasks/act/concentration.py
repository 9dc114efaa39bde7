"""Concentration: when a card is turned up whose mate was seen before, point at the mate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import exchanged_steps
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, symbols_of
from ntmbench.data.vocabulary import letters, numbered
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.act.cards import mates


@register_task("concentration")
@dataclass(frozen=True)
class Concentration(SymbolTask):
    """Point at the mate of a card if it was seen, else pass (Morad et al. 2023, "Concentration").

    ``a@3 b@7 a@0 b@4 -> pass pass 3 7``

    A length counts pairs. L pairs of cards lie face down on 2 L places of a table that has
    2 ``faces`` places, and each pair has another face. Each card is turned up once, and back at the
    next step: its face and its place are shown, each on channels of its own. The action is asked
    for at every step: the place of its mate if that was turned up before, and ``pass`` otherwise.
    The faces of a sequence, the places and the order of the cards are drawn uniformly. T = 2 L.
    Observations and actions run side by side.

    By chance, which is to pass always, half of the actions are wrong, L of 2 L. There are few
    sequences of one pair (15,872 at the default sizes), so that those of the tests occur in
    training too.

    In the source (POPGym) the agent chooses every card that it turns up, in turns of two. Here it
    takes the second card of each turn alone, and another hand turns up the first, so that no action
    follows from the rules without memory.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 50 % of the errors
    of chance.

    Two pairs (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Concentration()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        k 31 [pass] p 19 [pass] p 8 [19] k 15 [31]
    """

    #: Number of different faces, from 1 to 4096; no sequence can have more pairs.
    faces: int = 16
    #: Fewest pairs in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most pairs in training, from 1 to ``faces``.
    max_length: int = 4

    family = "act"
    axis = "pairs"
    version = 1
    lengths = Lengths(4, test=(2, 4, 8, 16), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("faces", self.faces, fewest=1)
        check_range("task.max_length", self.max_length, 1, self.faces)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The faces and the places."""
        return letters(self.faces) + self._places

    @property
    def output_names(self) -> tuple[str, ...]:
        """The places, and to pass."""
        return (*self._places, "pass")

    @property
    def has_input_phase(self) -> bool:
        """Observations and actions run side by side."""
        return False

    @property
    def longest_length(self) -> int:
        """As far as there are faces."""
        return self.faces

    @property
    def sources_that_matter(self) -> float:
        """All but the first card, which has no mate whatever it is.

        L passes have 1 to L sources at the least, and as many mates two each.
        """
        pairs = self.max_length
        return 1 - 1 / (pairs * (pairs + 1) / 2 + 2 * pairs)

    @property
    def shortcuts(self) -> Shortcuts:
        """The last card always has a mate that was seen, at one of the places but its own.

        Who knows the places of others, or the first one, points at one of the other cards.
        """
        last_ones = 1 / self.max_length  # of all answers that are not to pass
        seen = 1 / (2 * self.max_length - 1)
        return Shortcuts(
            place=last_ones / (2 * self.faces - 1), first=last_ones * seen, bag=last_ones * seen
        )

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the faces, the places of all cards, and the order; nothing else varies."""
        pairs = np.repeat(distinct(words, length, self.faces, batch_size), 2, axis=0)
        order = distinct(words, 2 * length, 2 * length, batch_size)
        face = np.take_along_axis(pairs, order, axis=0)
        place = distinct(words, 2 * length, 2 * self.faces, batch_size)
        batch = self.batch(face, self._actions(face, place), answer_start=0)
        np.put_along_axis(batch.inputs, self.faces + place[:, :, np.newaxis], 1, axis=2)
        return batch

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look each face up among those before it, and give the place that was shown with it."""
        face = symbols_of(inputs[:, :, : self.faces])
        return self.answered(self._actions(face, symbols_of(inputs[:, :, self.faces :])))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The card and its mate. To pass is made of all cards up to then: none is the mate."""
        mate = mates(symbols_of(inputs[:, :, : self.faces]))  # [T, B]
        now = np.arange(len(inputs))[:, np.newaxis]
        made = sources_at(inputs, np.stack([mate, now + 0 * mate], axis=2))
        passed = (mate == SILENT)[:, :, np.newaxis]
        made |= passed & (np.arange(len(inputs)) <= now[:, :, np.newaxis])
        return made

    def edits(self, inputs: FloatArray) -> FloatArray:
        """The faces of two cards exchanged, and the places of two."""
        exchanged = exchanged_steps(inputs, range(len(inputs)))
        faces, places = exchanged.copy(), exchanged
        faces[..., self.faces :] = inputs[..., self.faces :]
        places[..., : self.faces] = inputs[..., : self.faces]
        return np.concatenate([faces, places])

    def chance(self, length: int) -> Chance:
        """To pass is right at half of the steps; at the others all places are equally likely."""
        return Chance(length, 2 * length * (1 + math.log2(2 * self.faces) / 2))

    def demand(self, length: int) -> int:
        """One for each pair whose mate may still come."""
        return length

    @property
    def _places(self) -> tuple[str, ...]:
        return numbered("", 2 * self.faces)

    def _actions(self, face: Integers, place: Integers) -> Integers:
        """The action ``[T, B]`` at each card."""
        mate = mates(face)
        return np.where(mate == SILENT, 2 * self.faces, np.take_along_axis(place, mate, axis=0))

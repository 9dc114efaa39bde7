"""T-maze: walk along a corridor, and turn as the sign at its beginning said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of
from ntmbench.data.vocabulary import numbered
from ntmbench.data.votes import saved_by_votes
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts

TURNS = ("left", "right")


@register_task("t_maze")
@dataclass(frozen=True)
class TMaze(SymbolTask):
    """Turn at the end of a corridor as the sign at its beginning said (Bakker 2002).

    ``left x y T -> . . . left``

    A length counts the steps of a corridor. A sequence is a walk through ``mazes`` mazes, one after
    the other. Each shows a sign, ``left`` or ``right``, then L cells of corridor, and then the
    junction ``T``. At the junction the turn is asked for. Signs are uniform, and so is the picture
    that each cell of a corridor shows; pictures mean nothing. T = ``mazes`` (L + 2). Observations
    and actions run side by side.

    The turn is the only action that is scored, since all others, one step forward, follow from what
    is seen. By chance half of the turns are wrong. There are few walks with corridors of one step
    (4,096 at the default sizes), so that those occur in training more than once.

    The source calls its maze "T-maze with long-term dependency". It is reinforcement learning: an
    agent chooses all its steps, in one maze whose cells look alike. Here the actions of one who
    knows the way are imitated, and the pictures make the walks differ.

    Two mazes with corridors of two steps (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = TMaze(mazes=2)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        right p2 p1 T [right] left p3 p3 T [left]
    """

    #: Mazes of a sequence, one after the other, from 1 to 100000.
    mazes: int = 4
    #: Number of different pictures in the corridors, from 1 to 4096.
    pictures: int = 4
    #: Fewest steps of a corridor in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most steps of a corridor in training, from 1 to 100000.
    max_length: int = 10

    family = "act"
    axis = "steps of corridor"
    version = 1
    lengths = Lengths(10, test=(5, 10, 20, 40, 100), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.mazes", self.mazes, 1, MAX_LENGTH)
        check_symbols("pictures", self.pictures, fewest=1)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The signs, the junction and the pictures."""
        return (*TURNS, "T", *numbered("p", self.pictures))

    @property
    def output_names(self) -> tuple[str, ...]:
        """The turns."""
        return TURNS

    @property
    def has_input_phase(self) -> bool:
        """Observations and actions run side by side."""
        return False

    @property
    def shortcuts(self) -> Shortcuts:
        """At one length a linear read-out is enough; the first sign answers for its own maze.

        Knowing all signs so far without their order, the more frequent one is likelier.
        """
        votes = [saved_by_votes(signs, len(TURNS)) for signs in range(1, self.mazes + 1)]
        return Shortcuts(first=1 / self.mazes, bag=sum(votes) / self.mazes, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a sign for each maze and a picture for each cell; nothing else varies."""
        sign = words.integers(0, 1, self.mazes, 1, batch_size)
        pictures = words.integers(3, 2 + self.pictures, self.mazes, length, batch_size)
        junction = np.full_like(sign, 2)
        shown = np.concatenate([sign, pictures, junction], axis=1).reshape(-1, batch_size)
        asked = silence(len(shown), batch_size)
        asked[length + 1 :: length + 2] = sign[:, 0]
        return self.batch(shown, asked, answer_start=0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """At each junction, the sign after the junction before it."""
        junctions, signs = self._places(inputs)
        turns = silence(*inputs.shape[:2])
        turns[junctions] = symbols_of(inputs[signs])
        return self.answered(turns)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the sign; the junction only says that its turn is wanted now."""
        junctions, signs = self._places(inputs)
        return sources_at(inputs, signs, junctions)

    def chance(self, length: int) -> Chance:
        """Either turn is as likely."""
        return Chance.of_uniform_symbols(self.mazes, len(TURNS))

    def demand(self, length: int) -> int:
        """One, the sign of the maze."""
        return 1

    def _places(self, inputs: FloatArray) -> tuple[Integers, Integers]:
        """The steps of the junctions and of their signs, the same in every sequence."""
        junctions = np.flatnonzero(inputs[:, 0, len(TURNS)])
        return junctions, np.concatenate([[0], junctions[:-1] + 1])

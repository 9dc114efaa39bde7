"""Cycle navigation: where steps forwards and backwards on a circle end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.data.symbols import check_symbols
from ntmbench.data.vocabulary import numbered
from ntmbench.registry import register_task
from ntmbench.tasks.track.tracking import Tracking

#: How far each move goes.
MOVES = (0, 1, -1)


@register_task("cycle_navigation")
@dataclass(frozen=True)
class CycleNavigation(Tracking):
    """Say where a walk on a circle of places ends (Delétang et al. 2023, "Cycle Navigation").

    ``+1 +1 0 -1 +1 | -> 2``, from place 0 on a circle of places 0 to 4.

    Inputs are one-hot moves, stay, forwards and backwards, each equally likely, and a delimiter on
    a channel of its own. The input is silent during the answer. T = L + 2, and the only answer is
    asked for at step L + 1. After few moves places near 0 are likelier: their probabilities are the
    first row of the matrix of one move to the power of L. By chance the likeliest place is
    answered. There are 3 to the power of L sequences, so that short ones of the tests occur in
    training too.

    The source (tasks/regular/cycle_navigation.py in its code) has 5 places, trains on lengths from
    1 to 40, and has no delimiter.

    Four moves (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = CycleNavigation()
        >>> print(as_words(task, task.test_set(length=4, sequences=1)))
        stay stay +1 stay | [1]
    """

    #: Number of places on the circle, from 2 to 4096.
    places: int = 5

    axis = "moves"
    version = 1
    lengths = Lengths(20, test=(10, 20, 40, 80, 200), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("places", self.places)
        super().__post_init__()

    @property
    def table(self) -> Integers:
        """The place after each place and move."""
        table: Integers = (np.arange(self.places)[:, np.newaxis] + np.array(MOVES)) % self.places
        return table

    @property
    def symbol_names(self) -> tuple[str, ...]:
        """The moves."""
        return ("stay", "+1", "-1")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The places."""
        return numbered("", self.places)

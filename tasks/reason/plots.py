"""Plots: what must happen in a story, and what must not, so that its question has an answer.

X is a person and x a thing, both uniform, and all steps are uniform over all choices.

- A person's place, and yes or no: X goes somewhere at one step.
- A thing's place, and its place before: X takes x at the first or the second of two (three) steps,
  and goes somewhere at the others. Nobody else takes x, nobody gives it away, and it is dropped
  after the last of these steps at the earliest.
- Who has a thing, and who gave it: X takes x at one step, and whoever has it gives it away at a
  later one. Nobody else takes it. It is dropped only after that, and never if the question is who
  has it. So there is a thing to ask for, which need not be x.
- How many things X has: the number is uniform, and so is which things they are. Each thing has a
  step of its own at which it comes to X, who takes it or is given it, or at which X drops it or
  gives it away, as the case may be. From then on nobody does anything with it. What X is to have is
  never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers, distinct
from ntmbench.data.randomness import RandomWords
from ntmbench.tasks.reason.questions import Kind

#: What the plot wants at a step: nothing; the person goes somewhere, or takes the thing; whoever
#: has the thing gives it away; the thing comes to the person, or leaves the person, for good.
FREE, GOES, TAKES, PASSES, SETTLES = range(5)

#: The most steps of a plot at which the person goes, or the thing is taken or passed on.
MOST_SUPPORTS = 3
_SUPPORTS = {Kind.WHERE_PERSON: 1, Kind.WHERE_THING: 2, Kind.WHERE_WAS: 3, Kind.WHO_HAS: 2}
_SUPPORTS |= {Kind.WHO_GAVE: 2, Kind.IS_THERE: 1, Kind.HOW_MANY: 0}


@dataclass(frozen=True)
class Plot:
    """The plots of B stories of L facts with M things.

    Attributes:
        kind: what will be asked, ``[B]``, of Kind.
        person, thing: whom and what the plot is about, ``[B]``.
        deed: what is wanted at each step, ``[L, B]``.
        about: the thing of the deed, ``[L, B]``.
        may: whether each thing may be taken, dropped and given otherwise, ``[L, B, 3, M]``.
        kept: the things that the person is to have in the end, where they count, ``[B, M]``.
    """

    kind: Integers
    person: Integers
    thing: Integers
    deed: Integers
    about: Integers
    may: NDArray[np.bool_]
    kept: NDArray[np.bool_]


def draw_plot(words: RandomWords, kind: Integers, persons: int, things: int, length: int) -> Plot:
    """Draw plots for questions of each ``kind [B]``."""
    size, each = len(kind), np.arange(len(kind))
    person = words.integers(0, persons - 1, size)
    thing = words.integers(0, things - 1, size)
    placed = (kind == Kind.WHERE_THING) | (kind == Kind.WHERE_WAS)
    passed = (kind == Kind.WHO_HAS) | (kind == Kind.WHO_GAVE)
    counted = kind == Kind.HOW_MANY

    # A row more, for supports that a plot does not have.
    deed, about = np.full((length + 1, size), FREE), np.tile(thing, (length + 1, 1))
    count = np.array([_SUPPORTS[of] for of in Kind])[kind]
    chosen = distinct(words, MOST_SUPPORTS, length, size)
    among = np.arange(MOST_SUPPORTS)[:, np.newaxis] < count
    supports = np.sort(np.where(among, chosen, length), axis=0)
    first = np.where(placed & (words.bits(size) == 1), supports[1], supports[0])
    deed[supports, each] = GOES
    deed[first[placed | passed], each[placed | passed]] = TAKES
    deed[supports[1, passed], each[passed]] = PASSES
    settled = distinct(words, things, length, size)
    deed[settled[:, counted], each[counted]] = SETTLES
    about[settled[:, counted], each[counted]] = np.arange(things)[:, np.newaxis]

    number = words.integers(0, things, size)
    kept = (distinct(words, things, things, size) < number).T & counted[:, np.newaxis]
    own = (np.arange(things) == thing[:, np.newaxis]) & (placed | passed)[:, np.newaxis]
    step = np.arange(length)[:, np.newaxis]
    told = (step > supports[count.clip(1) - 1, each]) & (kind != Kind.WHO_HAS)
    unsettled = (step[..., np.newaxis] < settled.T) | ~counted[:, np.newaxis]
    take = unsettled & ~own
    drop = unsettled & ~kept & (~own | told[..., np.newaxis])
    give = unsettled & ~(own & placed[:, np.newaxis])
    may = np.stack([take, drop, give], axis=2)
    return Plot(kind, person, thing, deed[:length], about[:length], may, kept)

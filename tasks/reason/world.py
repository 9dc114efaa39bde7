"""A world of persons, things and places, in which the facts of a story come true one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers

#: What a fact tells that a person did.
WENT, TOOK, DROPPED = range(3)

#: A place, a person or a fact that is not known.
UNKNOWN = -1


@dataclass
class World:
    """What is so after some facts, in B stories of N persons and M things.

    Attributes:
        legal: whether all facts were possible, ``[B]``.
        place: where each person is, ``[B, N]``.
        moved: the fact by which the person is there, ``[B, N]``.
        holder: who took each thing, ``[B, M]``.
        taken, dropped: the fact by which it was taken, and by which it was dropped, ``[B, M]``.
        at, before: where it is, and where it was before, ``[B, M]``.
        brought, brought_before: the move by which it came to these places, ``[B, M]``.
        facts: the number of facts so far.
    """

    legal: NDArray[np.bool_]
    place: Integers
    moved: Integers
    holder: Integers
    taken: Integers
    dropped: Integers
    at: Integers
    before: Integers
    brought: Integers
    brought_before: Integers
    facts: int = field(default=0, init=False)

    @classmethod
    def unknown(cls, batch_size: int, persons: int, things: int) -> World:
        """The world before the first fact."""
        of_persons = np.full((2, batch_size, persons), UNKNOWN)
        of_things = np.full((7, batch_size, things), UNKNOWN)
        return cls(np.ones(batch_size, bool), *of_persons, *of_things)

    def tell(self, person: Integers, verb: Integers, what: Integers) -> None:
        """Let a fact of each story ``[B]`` come true; ``what`` is a place or a thing."""
        went, took, dropped = ((verb == kind).nonzero()[0] for kind in (WENT, TOOK, DROPPED))
        self.legal[went] &= self.place[went, person[went]] != what[went]
        self.legal[took] &= self.holder[took, what[took]] == UNKNOWN
        self.legal[dropped] &= self._carried(person)[dropped, what[dropped]]
        carried = self._carried(person) & (verb == WENT)[:, np.newaxis]
        moved = carried & (self.at != UNKNOWN)
        self.before = np.where(moved, self.at, self.before)
        self.brought_before = np.where(moved, self.brought, self.brought_before)
        self.at = np.where(carried, what[:, np.newaxis], self.at)
        self.brought = np.where(carried, self.facts, self.brought)
        self.place[went, person[went]] = what[went]
        self.moved[went, person[went]] = self.facts
        self.holder[took, what[took]] = person[took]
        self.taken[took, what[took]] = self.facts
        self.at[took, what[took]] = self.place[took, person[took]]
        self.brought[took, what[took]] = self.moved[took, person[took]]
        self.dropped[dropped, what[dropped]] = self.facts
        self.facts += 1

    def possible(self, person: Integers, places: int) -> NDArray[np.bool_]:
        """What each person ``[B]`` can do: ``[B, places + 2 M]``, go, take and drop."""
        there = np.take_along_axis(self.place, person[:, np.newaxis], axis=1)
        go = there != np.arange(places)
        return np.concatenate([go, self.holder == UNKNOWN, self._carried(person)], axis=1)

    def _carried(self, person: Integers) -> NDArray[np.bool_]:
        """Which things each person ``[B]`` carries, ``[B, M]``."""
        taken = self.holder == person[:, np.newaxis]
        carried: NDArray[np.bool_] = taken & (self.dropped == UNKNOWN)
        return carried

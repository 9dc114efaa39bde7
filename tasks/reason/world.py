"""A world of persons, things and places, in which the facts of a story come true one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers

#: What a fact tells that a person did.
WENT, TOOK, DROPPED, GAVE = range(4)

#: A place, a person or a fact that is not known, or that there is not.
UNKNOWN = -1


@dataclass
class World:
    """What is so after some facts, in B stories of N persons and M things.

    Most of it is told by the number of a fact: where a person is, for instance, by the last move.

    Attributes:
        place: where each person is, ``[B, N]``.
        moved: the fact by which the person is there, ``[B, N]``.
        holder: who has each thing, ``[B, M]``.
        got, given, dropped: the facts by which it came to who has it or had it last, and by which
            it was given and dropped last.
        brought, brought_before: the moves by which it came to where it is, and to where it was
            before. Neither is known of a thing that is given, until its new holder goes somewhere.
        facts: the number of facts so far.
    """

    place: Integers
    moved: Integers
    holder: Integers
    got: Integers
    given: Integers
    dropped: Integers
    brought: Integers
    brought_before: Integers
    facts: int = field(default=0, init=False)

    @classmethod
    def unknown(cls, batch_size: int, persons: int, things: int) -> World:
        """The world before the first fact."""
        of_persons = np.full((2, batch_size, persons), UNKNOWN)
        of_things = np.full((6, batch_size, things), UNKNOWN)
        return cls(*of_persons, *of_things)

    def tell(self, person: Integers, verb: Integers, what: Integers, whom: Integers) -> None:
        """Let a fact of each story ``[B]`` come true.

        ``what`` is a place or a thing, and ``whom`` the person to whom it is given.
        """
        went, took, dropped, gave = ((verb == kind).nonzero()[0] for kind in range(4))
        mover = person[went]
        carried, thing = (self.holder[went] == mover[:, np.newaxis]).nonzero()
        carried = went[carried]
        self.brought_before[carried, thing] = self.brought[carried, thing]
        self.brought[carried, thing] = self.facts
        self.place[went, mover] = what[went]
        self.moved[went, mover] = self.facts

        taker, thing = person[took], what[took]
        self.holder[took, thing] = taker
        self.got[took, thing] = self.facts
        self.brought[took, thing] = self.moved[took, taker]

        thing = what[dropped]
        self.holder[dropped, thing] = UNKNOWN
        self.dropped[dropped, thing] = self.facts

        thing = what[gave]
        self.holder[gave, thing] = whom[gave]
        self.got[gave, thing] = self.given[gave, thing] = self.facts
        self.brought[gave, thing] = self.brought_before[gave, thing] = UNKNOWN
        self.facts += 1

    def allows(
        self, person: Integers, verb: Integers, what: Integers, whom: Integers
    ) -> NDArray[np.bool_]:
        """Whether a fact of each story is possible now, ``[B]``; arguments as in ``tell``."""
        each, thing = np.arange(len(person)), np.where(verb == WENT, 0, what)
        has = self.holder[each, thing] == person
        moves, takes = self.place[each, person] != what, self.got[each, thing] == UNKNOWN
        allowed: NDArray[np.bool_] = np.choose(verb, [moves, takes, has, has & (whom != person)])
        return allowed

    def possible(self, person: Integers, places: int) -> NDArray[np.bool_]:
        """What each person ``[B]`` can do: ``[B, places + 3 M]``, go, take, drop and give."""
        size, things = self.holder.shape
        each, taking, dropping = np.arange(size), places, places + things
        possible = np.ones((size, places + 3 * things), bool)
        # UNKNOWN, where a person may go anywhere, is the last column, which is written below.
        possible[each, self.place[each, person]] = False
        possible[:, taking:dropping] = self.got == UNKNOWN
        has = self.holder == person[:, np.newaxis]
        possible[:, dropping : dropping + things] = possible[:, dropping + things :] = has
        return possible

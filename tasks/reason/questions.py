"""Questions on a world: what they ask for, which answer is right, and which facts it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.tasks.reason.world import GAVE, UNKNOWN, WENT, World


class Kind(IntEnum):
    """What a question asks for."""

    WHERE_PERSON = 0
    WHERE_THING = 1
    WHERE_WAS = 2
    WHO_HAS = 3
    WHO_GAVE = 4
    IS_THERE = 5
    HOW_MANY = 6


#: The names of the kinds.
KINDS = tuple(kind.name.lower() for kind in Kind)

#: The word that each kind of question begins with.
WORD_OF = ("where-is", "where-is", "where-was", "who-has", "who-gave", "is", "how-many")

YES_NO = ("yes", "no")
_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

#: What World keeps of the person or the thing asked about, and on which of it each kind rests.
_FACTS = ("moved", "got", "dropped", "given", "brought", "brought_before")
_GROUNDS = (
    ("moved",),
    ("got", "dropped", "brought"),
    ("got", "dropped", "brought", "brought_before"),
    ("got",),
    ("given",),
    ("moved",),
    (),
)
_RESTS_ON = np.array([[fact in grounds for fact in _FACTS] for grounds in _GROUNDS])


def numbers(most: int) -> tuple[str, ...]:
    """The words for none to ``most``, numerals from 10 on."""
    return (*_NUMBERS, *map(str, range(len(_NUMBERS), most + 1)))[: most + 1]


def likelihood(kinds: Sequence[Kind], places: int, persons: int, things: int) -> list[float]:
    """How likely each answer is if all ``kinds`` are, and all answers of each of them."""
    likely: list[float] = []
    for among, count in (
        ((Kind.WHERE_PERSON, Kind.WHERE_THING, Kind.WHERE_WAS), places),
        ((Kind.WHO_HAS, Kind.WHO_GAVE), persons),
        ((Kind.IS_THERE,), len(YES_NO)),
        ((Kind.HOW_MANY,), things + 1),
    ):
        share = sum(kind in among for kind in kinds) / len(kinds)
        likely += [share / count] * count
    return likely


@dataclass(frozen=True)
class Question:
    """The questions of B stories; each kind asks about some of what is given here.

    Attributes:
        kind: ``[B]``, of Kind.
        person, thing, place: whom or what it is about, ``[B]``; any number where it is not.
    """

    kind: Integers
    person: Integers
    thing: Integers
    place: Integers

    def answers(self, world: World, facts: Integers, places: int) -> Integers:
        """The answers ``[B]`` after facts ``[L, 4, B]``, UNKNOWN where none tells it.

        Places are numbered from 0 on, then persons, yes and no, and the numbers of things.
        """
        each = np.arange(len(self.kind))
        thing = each, self.thing
        first_answer = places + world.place.shape[1]

        def told(fact: Integers, word: int) -> Integers:
            found: Integers = np.where(fact == UNKNOWN, UNKNOWN, facts[fact, word, each])
            return found

        def somebody(person: Integers) -> Integers:
            return np.where(person == UNKNOWN, UNKNOWN, places + person)

        there = world.place[each, self.person]
        count = (world.holder == self.person[:, np.newaxis]).sum(axis=1)
        of_kinds = [
            there,
            told(world.brought[thing], 2),
            told(world.brought_before[thing], 2),
            somebody(world.holder[thing]),
            somebody(told(world.given[thing], 0)),
            np.where(there == UNKNOWN, UNKNOWN, first_answer + (there != self.place)),
            first_answer + len(YES_NO) + count,
        ]
        answers: Integers = np.choose(self.kind, of_kinds)
        return answers

    def grounds(self, world: World, facts: Integers) -> NDArray[np.bool_]:
        """Which of the facts ``[L, 4, B]`` each answer rests on, ``[L, B]``.

        They are the moves to the place asked for and away from it, and how the thing came to the
        person who has it, and was dropped. Where things are counted, they are all facts by which
        the person got something or lost it.
        """
        each = np.arange(len(self.kind))
        person, verb, _, whom = facts.swapaxes(0, 1)
        moved, *of_thing = (getattr(world, name) for name in _FACTS)
        found = [moved[each, self.person], *(of[each, self.thing] for of in of_thing)]
        rests_on = np.zeros((len(facts) + 1, len(each)), bool)  # UNKNOWN is the last row
        rests_on[np.where(_RESTS_ON[self.kind].T, found, UNKNOWN), each] = True
        dealt = (person == self.person) | ((verb == GAVE) & (whom == self.person))
        counted: NDArray[np.bool_] = dealt & (verb != WENT) & (self.kind == Kind.HOW_MANY)
        return rests_on[:-1] | counted

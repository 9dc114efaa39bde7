"""Stories told by their plots, what is then asked, and what is so after any facts."""

from __future__ import annotations

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.randomness import RandomWords
from ntmbench.tasks.reason.plots import GOES, PASSES, SETTLES, TAKES, Plot
from ntmbench.tasks.reason.questions import Kind, Question
from ntmbench.tasks.reason.world import DROPPED, GAVE, TOOK, UNKNOWN, WENT, World


def tell(words: RandomWords, plot: Plot, persons: int, places: int) -> tuple[Integers, World]:
    """Draw the facts ``[L, 4, B]`` of stories, one by one; the world after them comes with them.

    Where the plot wants nothing, a person does what is possible: a thing is taken or given four
    times as often as a place is visited or a thing dropped.
    """
    length, size, _, things = plot.may.shape
    each, thing = np.arange(size), places + plot.about
    goes, takes, passes, settles = (plot.deed == deed for deed in (GOES, TAKES, PASSES, SETTLES))
    kept = settles & plot.kept[each, plot.about]
    lost = settles & ~kept
    dropped = lost & (words.bits(length, size) == 1)
    anybody = words.integers(0, persons - 1, length, size)
    shift = words.integers(1, persons - 1, length, size)
    luck = words.uniform(length, size, places + 3 * things)
    for rare in (luck[:, :, :places], luck[:, :, places + things : places + 2 * things]):
        for _ in range(2):
            rare *= rare  # to the fourth power, each is the largest a quarter as often
    luck[:, :, places:] *= plot.may.reshape(length, size, -1) & ~goes[:, :, np.newaxis]
    verb_of = np.repeat([WENT, TOOK, DROPPED, GAVE], [places, things, things, things])
    what_of = np.concatenate([np.arange(places), *3 * [np.arange(things)]])
    world, facts = World.unknown(size, persons, things), []
    for step in range(length):
        holder = world.holder[each, plot.about[step]]
        free, has = holder == UNKNOWN, holder == plot.person
        taken = takes[step] | (kept[step] & free)
        comes = kept[step] & ~free & ~has
        leaves = lost[step] & has
        given = passes[step] | comes | leaves
        person = anybody[step].copy()
        np.copyto(person, holder, where=given)
        np.copyto(person, plot.person, where=goes[step] | taken)
        whom = (person + shift[step]) % persons
        np.copyto(whom, plot.person, where=comes)

        act = (luck[step] * world.possible(person, places)).argmax(axis=1)
        np.copyto(act, thing[step], where=taken)
        np.copyto(act, thing[step] + 2 * things, where=given)
        np.copyto(act, thing[step] + things, where=leaves & dropped[step])
        facts.append((person, verb_of[act], what_of[act], whom))
        world.tell(*facts[-1])
    return np.array(facts), world


def ask(words: RandomWords, plot: Plot, facts: Integers, world: World, places: int) -> Question:
    """Draw the questions for which the plots were made."""
    has, passed = plot.kind == Kind.WHO_HAS, plot.kind == Kind.WHO_GAVE
    possible = np.where(has, world.holder.T, world.given.T) != UNKNOWN  # [M, B]
    thing = (words.uniform(*possible.shape) * possible).argmax(axis=0)

    each, place = np.arange(len(has)), np.arange(places)[:, np.newaxis]
    there = world.place[each, plot.person]
    _, verb, what, _ = facts.swapaxes(0, 1)
    told = np.zeros((places + 1, len(has)))
    told[np.where(verb == WENT, what, places), each] = 1
    luck = words.uniform(places, len(has)) + told[:-1]  # others only if no other is told
    other = np.where(place == there, 0, luck).argmax(axis=0)
    yes = words.bits(len(has)) == 1
    return Question(
        plot.kind,
        plot.person,
        np.where(has | passed, thing, plot.thing),
        np.where(yes, there, other),
    )


def after(facts: Integers, persons: int, things: int) -> World:
    """The world after facts ``[L, 4, B]``."""
    world = World.unknown(facts.shape[2], persons, things)
    for fact in facts:
        world.tell(*fact)
    return world

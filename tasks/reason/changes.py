"""Stories and questions with a few words changed, by which their sources are tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.edits import other_symbols, replaced_steps, where_possible
from ntmbench.data.symbols import symbols_of
from ntmbench.task import FloatArray
from ntmbench.tasks.reason.sentences import FACT, QUESTION, Language
from ntmbench.tasks.reason.telling import after
from ntmbench.tasks.reason.world import UNKNOWN, World


def changes(inputs: FloatArray, sources: NDArray[np.bool_], language: Language) -> FloatArray:
    """Edits ``[E, T, B, in]`` of stories whose answers rest on the ``sources [T, B]``.

    They are other places; in the question and in supporting facts other things and persons; and
    supporting facts replaced by those of other stories. An edit after which a fact is impossible,
    or the question has no answer, is undone.
    """
    first, end = language.first_person, language.first_verb
    things, persons = slice(language.places, first), slice(first, end)
    of_places = other_symbols(inputs, slice(language.places))
    of_names = [other_symbols(inputs, of) for of in (things, persons)]
    edits = np.concatenate([of_places, *of_names, _replaced_facts(inputs)])
    meant = ((edits != inputs).any(axis=3) & sources).any(axis=1)
    meant[: len(of_places)] = True
    shown = symbols_of(edits[:, :-1]).swapaxes(0, 1).reshape(len(inputs) - 1, -1)
    facts, question = language.read(shown)
    world = after(facts, language.persons, language.things)
    answered = question.answers(world, facts, language.places) != UNKNOWN
    told = answered & _are_possible(facts, language.persons, language.things)
    return where_possible(inputs, edits, meant & told.reshape(meant.shape))


def _replaced_facts(inputs: FloatArray) -> FloatArray:
    """Each fact of a story, replaced by that of each other story."""
    steps, size, width = inputs.shape
    end = steps - QUESTION - 1
    facts = inputs[:end].reshape(-1, FACT, size, width).swapaxes(1, 2)
    others = replaced_steps(facts.reshape(len(facts), size, -1))
    edits = np.repeat(inputs[np.newaxis], len(others), axis=0)
    edits[:, :end] = others.reshape(-1, *facts.shape).swapaxes(2, 3).reshape(-1, end, size, width)
    return edits


def _are_possible(facts: Integers, persons: int, things: int) -> NDArray[np.bool_]:
    """Whether all facts ``[L, 4, B]`` of each story are possible, ``[B]``."""
    world = World.unknown(facts.shape[2], persons, things)
    possible = np.ones(facts.shape[2], bool)
    for fact in facts:
        possible &= world.allows(*fact)
        world.tell(*fact)
    return possible

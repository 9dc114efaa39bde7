"""Who is whose father or mother: facts, questions, and what they tell of a family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.symbols import symbols_of
from ntmbench.task import FloatArray

#: Words of a fact: a person, a relation, and who that is.
WORDS = 3
RELATIONS = ("father", "mother")
#: A parent of whom nothing is told.
UNKNOWN = -1


def facts_of(child: Integers, father: Integers, names: int) -> Integers:
    """The facts ``[2 C, 3, B]`` of the parents of C children; a mother follows the father.

    Relations are the symbols after the ``names``.
    """
    of = [
        np.stack([child, np.full_like(child, names + parent), father + parent], axis=1)
        for parent in range(len(RELATIONS))
    ]
    return np.concatenate(of)


@dataclass(frozen=True)
class Told:
    """What inputs tell and ask; relations are numbered from 0 on.

    Attributes:
        facts: ``[F, 3, B]``.
        person: who is asked about, ``[B]``.
        relations: the line that is asked for, ``[L, B]``.
    """

    facts: Integers
    person: Integers
    relations: Integers

    @classmethod
    def by(cls, inputs: FloatArray, names: int) -> Told:
        """What ``inputs [T, B, in]`` tell."""
        shown = symbols_of(inputs)
        mark = int((shown[:, 0] == names + len(RELATIONS)).argmax())
        facts = shown[:mark].reshape(-1, WORDS, inputs.shape[1]).copy()
        facts[:, 1] -= names
        return cls(facts, shown[mark + 1], shown[mark + 2 : -1] - names)

    def parents(self, names: int) -> Integers:
        """Everybody's father and mother, ``[B, names, 2]``; UNKNOWN where they are not told."""
        sequences = np.arange(len(self.person))
        parents = np.full((len(sequences), names, len(RELATIONS)), UNKNOWN)
        for child, relation, parent in self.facts:
            parents[sequences, child, relation] = parent
        return parents

    def are_families(self, names: int) -> NDArray[np.bool_]:
        """Whether they tell what the task would, ``[B]``: the line, and nobody twice."""
        parents, sequences = self.parents(names), np.arange(len(self.person))
        here, met, left = self.person, [self.person], None
        for relation in self.relations:
            met += [*parents[sequences, here].T]
            if left is not None:
                met += [*parents[sequences, left].T]
            here, left = (parents[sequences, here, of] for of in (relation, 1 - relation))
        ascending = np.sort(met, axis=0)
        told, different = ascending[0] != UNKNOWN, ascending[1:] != ascending[:-1]
        return np.asarray(told & different.all(axis=0))

"""The sentences of stories: facts and questions as symbols, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.data.choices import Integers
from ntmbench.data.vocabulary import made_up
from ntmbench.tasks.reason.questions import WORD_OF, YES_NO, Kind, Question, numbers
from ntmbench.tasks.reason.world import GAVE, WENT

#: Words of a fact, and of a question.
FACT, QUESTION = 4, 3

VERBS = ("went-to", "took", "dropped", "gave")
#: Instead of the person to whom a thing is given, and of the place that is asked about.
NOBODY, NOWHERE = ".", "?"
_QUESTIONS = tuple(dict.fromkeys(WORD_OF))
_WORD = np.array([_QUESTIONS.index(word) for word in WORD_OF])
#: The first kind that begins with each word.
_KIND = np.array([WORD_OF.index(word) for word in _QUESTIONS])
_OF_THING = [Kind.WHERE_THING, Kind.WHERE_WAS, Kind.WHO_HAS, Kind.WHO_GAVE]


@dataclass(frozen=True)
class Language:
    """A symbol for each place, thing, person, verb and word of questions, in this order."""

    places: int
    things: int
    persons: int

    @property
    def first_person(self) -> int:
        """The symbol of the first person."""
        return self.places + self.things

    @property
    def first_verb(self) -> int:
        """The symbol of the first verb."""
        return self.first_person + self.persons

    @property
    def shown(self) -> tuple[str, ...]:
        """The words of facts and questions."""
        names = made_up(self.first_verb)
        persons = (name.title() for name in names[self.first_person :])
        return (*names[: self.first_person], *persons, *VERBS, NOBODY, *_QUESTIONS, NOWHERE)

    @property
    def answers(self) -> tuple[str, ...]:
        """The places, the persons, yes and no, and the numbers of things."""
        names = self.shown
        persons = names[self.first_person : self.first_verb]
        return (*names[: self.places], *persons, *YES_NO, *numbers(self.things))

    def facts(self, facts: Integers) -> Integers:
        """The words ``[4 L, B]`` of facts ``[L, 4, B]``."""
        person, verb, what, whom = facts.swapaxes(0, 1)
        words = [
            self.first_person + person,
            self.first_verb + verb,
            np.where(verb == WENT, what, self.places + what),
            np.where(verb == GAVE, self.first_person + whom, self._nobody),
        ]
        return np.stack(words, axis=1).reshape(-1, facts.shape[2])

    def question(self, question: Question) -> Integers:
        """The words ``[3, B]`` of questions."""
        of_thing = np.isin(question.kind, _OF_THING)
        about = np.where(
            of_thing, self.places + question.thing, self.first_person + question.person
        )
        place = np.where(question.kind == Kind.IS_THERE, question.place, self._nowhere)
        return np.stack([self._nobody + 1 + _WORD[question.kind], about, place])

    def read(self, shown: Integers) -> tuple[Integers, Question]:
        """The facts ``[L, 4, B]`` and the questions of words ``[4 L + 3, B]``."""
        told, (word, about, place) = shown[:-QUESTION], shown[-QUESTION:]
        person, verb, what, whom = told.reshape(-1, FACT, told.shape[1]).swapaxes(0, 1)
        number = np.where(what < self.places, what, what - self.places)
        nobody = whom == self._nobody
        facts = [
            person - self.first_person,
            verb - self.first_verb,
            number,
            np.where(nobody, 0, whom - self.first_person),
        ]
        of_thing = about < self.first_person
        kind = _KIND[word - self._nobody - 1]
        kind = np.where((kind == Kind.WHERE_PERSON) & of_thing, Kind.WHERE_THING, kind)
        question = Question(
            kind,
            np.where(of_thing, 0, about - self.first_person),
            np.where(of_thing, about - self.places, 0),
            place,
        )
        return np.stack(facts, axis=1), question

    @property
    def _nobody(self) -> int:
        return self.first_verb + len(VERBS)

    @property
    def _nowhere(self) -> int:
        return self._nobody + 1 + len(_QUESTIONS)

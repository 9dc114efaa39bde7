"""Stories: say where somebody or something is, or was, after facts on who went where."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, places
from ntmbench.data.edits import other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of, then_answer
from ntmbench.data.vocabulary import made_up
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation
from ntmbench.tasks.reason.world import TOOK, UNKNOWN, WENT, World

#: Of each kind; there are made-up words for three times as many.
MOST_NAMES = 1024

VERBS, QUESTIONS = ("went-to", "took", "dropped"), ("where-is", "where-was")


@register_task("stories")
@dataclass(frozen=True)
class Stories(SymbolTask):
    """Say where a person or a thing is after L facts (Weston et al. 2015, bAbI tasks 1 to 3).

    ``A took x , A went-to k , B went-to m , A went-to n where-was x -> k``, without the commas.

    A fact has three steps: a person, a verb, and a place or a thing. A person goes to another place
    than the last one, takes a thing that nobody took before, or drops one. A thing is where the
    person is who took it, and stays where it is dropped. One supporting fact: ``where-is`` and a
    person asks for that person's place. Two: ``where-is`` and a thing asks for the thing's. Three:
    ``where-was`` and a thing asks for its place before the last one. The question has two steps,
    and the input is silent at the answer. T = 3 L + 3, and the last step answers.

    In training a batch has 1 to ``supporting`` supporting facts, in tests all of them; variations
    test fewer. The facts that the question needs are told of one person, uniform as the thing is,
    at steps drawn uniformly: a move for one; the taking and a move, in any order, for two; and one
    more move behind them for three. All others are distractors: each is told of a person drawn
    uniformly, and everything that the person can do is as likely, but for the thing in question,
    which nobody else takes and nobody drops before those facts are told. Later moves of the
    person, or a drop, count: the answer follows from all facts. It is uniform over the places.

    The source has ready-made stories in English, and answers of one word as here.

    Three supporting facts among four (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Stories()
        >>> print(as_words(task, task.test_set(length=4, sequences=1)))
        Kafe took biza Kafe went-to rada Feno took suro Kafe went-to baba where-was biza [rada]
    """

    #: Number of persons.
    persons: int = 4
    #: Number of things.
    things: int = 3
    #: Number of places.
    places: int = 6
    #: Most supporting facts, from 1 to 3.
    supporting: int = 3
    #: Fewest facts in training.
    min_length: int = 3
    #: Most facts in training.
    max_length: int = 12

    family = "reason"
    axis = "facts"
    version = 1
    lengths = Lengths(12, test=(6, 12, 18, 24, 48), select=((1, 1), (3, 2)))
    sources_that_matter = 0.3  # most words of a fact cannot change alone

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.supporting", self.supporting, 1, 3)
        check_symbols("persons", self.persons, fewest=1, most=MOST_NAMES)
        check_symbols("things", self.things, fewest=1, most=MOST_NAMES)
        check_symbols("places", self.places, fewest=3, most=MOST_NAMES)
        check_length_range(self.min_length, self.max_length, shortest=self.supporting)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The places, the things, the persons, the verbs, and the two questions."""
        names = made_up(self.places + self.things + self.persons)
        first_person = self.places + self.things
        persons = (name.title() for name in names[first_person:])
        return (*names[:first_person], *persons, *VERBS, *QUESTIONS)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The places."""
        return self.input_names[: self.places]

    @property
    def shortest_length(self) -> int:
        """Every supporting fact must be told."""
        return self.supporting

    @property
    def variations(self) -> dict[str, Variation]:
        """Fewer supporting facts than in tests, at the longest training length."""
        return {
            f"{fewer} supporting": Variation(replace(self, supporting=fewer), self.max_length)
            for fewer in range(1, self.supporting)
        }

    @property
    def shortcuts(self) -> Shortcuts:
        """A place that is told of answers more often than others; 0.07 of the errors were saved."""
        return Shortcuts(linear=0.1)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw who and what is asked for, the supporting facts' steps, and then fact by fact."""
        check_range("length", length, self.supporting, MAX_LENGTH)
        count = self.supporting if test else words.integer(1, self.supporting)
        asked = words.integers(0, self.persons - 1, batch_size)
        thing = words.integers(0, self.things - 1, batch_size)
        supports = places(words, count, length, batch_size)
        taking = supports[(count > 1) * words.bits(batch_size), np.arange(batch_size)]
        told = (supports[:, np.newaxis] == np.arange(length)[:, np.newaxis]).any(axis=0)  # [L, B]
        persons = np.where(told, asked, words.integers(0, self.persons - 1, length, batch_size))
        luck = words.uniform(length, batch_size, self.places + 2 * self.things)
        world = World.unknown(batch_size, self.persons, self.things)
        take, drop = (self.places + place * self.things + thing for place in (0, 1))
        each, facts = np.arange(batch_size), []
        for step, person in enumerate(persons):
            possible = world.possible(person, self.places)
            possible[told[step], self.places :] = False
            if count > 1:
                possible[step == taking] = False
                possible[each, take] = step == taking
                possible[each, drop] &= step > supports[-1]
            act = np.where(possible, luck[step], 0).argmax(axis=1)
            verb = np.where(act < self.places, WENT, TOOK + (act >= self.places + self.things))
            what = np.where(verb == WENT, act, (act - self.places) % self.things)
            world.tell(person, verb, what)
            symbol = np.where(verb == WENT, what, self.places + what)
            facts += [self._persons + person, self._verbs + verb, symbol]
        question = np.full(batch_size, self._verbs + len(VERBS) + (count == 3))
        about = self._persons + asked if count == 1 else self.places + thing
        shown = np.stack([*facts, question, about])
        answer = (world.place[each, asked], world.at[each, thing], world.before[each, thing])
        return self.batch(*then_answer(shown, answer[count - 1][np.newaxis]), len(shown))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Let the facts come true one by one, and look."""
        solved = silence(*inputs.shape[:2])
        solved[-1] = self._answers(inputs)
        return self.answered(solved)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The question, and the facts by which it is answered.

        They are the moves to the place asked for and away from it, the taking, and the drop, if
        there is one.
        """
        world, of_thing, was, about = self._after(inputs)
        each = np.arange(inputs.shape[1])
        thing = (each, np.where(of_thing, about, 0))
        moved = world.moved[each, np.where(of_thing, 0, about)]
        facts = np.stack(
            [
                np.where(of_thing, world.brought[thing], moved),
                np.where(of_thing, world.taken[thing], UNKNOWN),
                np.where(of_thing, world.dropped[thing], UNKNOWN),
                np.where(was, world.brought_before[thing], UNKNOWN),
            ],
            axis=1,
        )[..., np.newaxis]
        steps = np.where(facts == UNKNOWN, UNKNOWN, 3 * facts + np.arange(3)).reshape(len(each), -1)
        asked = np.tile(len(inputs) - np.array([3, 2]), (len(each), 1))
        return sources_at(inputs, np.concatenate([steps, asked], axis=1)[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Others for places, for persons of supporting facts, and for what is asked for."""
        of_places = other_symbols(inputs, slice(self.places))
        of_persons = other_symbols(inputs, slice(self._persons, self._verbs))
        of_things = other_symbols(inputs[-2:-1], slice(self.places, self._persons))
        asked = np.repeat(inputs[np.newaxis], len(of_things), axis=0)
        asked[:, -2] = of_things[:, 0]
        sources = self.sources(inputs)[-1].T  # [T, B]
        of_persons = where_possible(
            inputs, of_persons, np.repeat(sources, len(of_persons) // len(inputs), axis=0)
        )
        edits = np.concatenate([of_places, of_persons, asked])
        together = edits.swapaxes(0, 1).reshape(len(inputs), -1, inputs.shape[2])
        world, *_ = self._after(together)
        possible = world.legal & (self._answers(together) != UNKNOWN)
        return where_possible(inputs, edits, possible.reshape(len(edits), -1))

    def chance(self, length: int) -> Chance:
        """Every place is as likely as any other."""
        return Chance.of_uniform_symbols(1, self.places)

    def demand(self, length: int) -> int:
        """One for each person and each thing, as far as facts tell of them."""
        return min(length, self.persons + self.things)

    @property
    def _persons(self) -> int:
        """The symbol of the first person."""
        return self.places + self.things

    @property
    def _verbs(self) -> int:
        """The symbol of the first verb."""
        return self._persons + self.persons

    def _after(
        self, inputs: FloatArray
    ) -> tuple[World, NDArray[np.bool_], NDArray[np.bool_], Integers]:
        """The world at the end; whether a thing is asked for, and where it was; its number."""
        shown = symbols_of(inputs)
        *_, question, about, _ = shown
        world = World.unknown(inputs.shape[1], self.persons, self.things)
        for person, verb, what in shown[:-3].reshape(-1, 3, inputs.shape[1]):
            number = np.where(what < self.places, what, what - self.places)
            world.tell(person - self._persons, verb - self._verbs, number)
        of_thing = about < self._persons
        was = of_thing & (question == self._verbs + len(VERBS) + 1)
        return world, of_thing, was, about - np.where(of_thing, self.places, self._persons)

    def _answers(self, inputs: FloatArray) -> Integers:
        """The place ``[B]`` that each question asks for, UNKNOWN if no fact tells it."""
        world, of_thing, was, about = self._after(inputs)
        each = np.arange(inputs.shape[1])
        thing, person = np.where(of_thing, about, 0), np.where(of_thing, 0, about)
        of_things = np.where(was, world.before[each, thing], world.at[each, thing])
        found: Integers = np.where(of_thing, of_things, world.place[each, person])
        return found

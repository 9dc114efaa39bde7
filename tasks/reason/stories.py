"""Stories: answer a question after facts on who went where, and who has what."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of, then_answer
from ntmbench.errors import check_choice, check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation
from ntmbench.tasks.reason.changes import changes
from ntmbench.tasks.reason.plots import MOST_SUPPORTS, draw_plot
from ntmbench.tasks.reason.questions import KINDS, Kind, likelihood
from ntmbench.tasks.reason.sentences import FACT, QUESTION, Language
from ntmbench.tasks.reason.telling import after, ask, tell
from ntmbench.tasks.reason.world import GAVE

#: Of each kind; there are made-up words for three times as many.
MOST_NAMES = 1024


@register_task("stories")
@dataclass(frozen=True)
class Stories(SymbolTask):
    """Answer a question after L facts (Weston et al. 2015, in kind of bAbI tasks 1 to 3, 5 to 7).

    ``A took x . B went-to k . A gave x B who-has x ? -> B``.

    A fact has four steps: a person, a verb, a place or a thing, and the person to whom a thing is
    given, or else a full stop. A person goes to another place than the last one, takes a thing that
    nobody took before, or drops or gives away one that this person has. A gift goes to any other
    person, wherever both are. A thing is where the person is who has it, and stays where it is
    dropped. A question has three steps, of which the last is a question mark or, for ``is``, a
    place. The input is silent at the answer, one word. T = 4 L + 4, and the last step answers.

    Each of seven kinds of questions is equally likely, in training and in tests:

    - ``where-is`` and a person: that person's place. It rests on one fact, the last move.
    - ``where-is`` and a thing: the thing's place. It rests on two, the taking and a move in any
      order, and on the drop if there is one.
    - ``where-was`` and a thing: its place before that one. It rests on one move more.
    - ``who-has`` and a thing: the person. ``who-gave`` and a thing: who gave it last.
    - ``is``, a person and a place: ``yes`` if the person is there, or ``no``.
    - ``how-many`` and a person: the number of things that the person has, ``none``, ``one``, ...

    The answers of each kind are uniform. So a constant answer to a question of a known kind is
    wrong in 1 - 1/``places``, 1 - 1/``persons``, 1/2, or 1 - 1/(``things`` + 1) of all cases. The
    best constant for all kinds is wrong in 1 - max(3/``places``, 2/``persons``, 1/2,
    1/(``things`` + 1)) / 7 of them. Variations test each kind alone.

    The facts that a question needs come at steps drawn uniformly; ``plots.py`` says which facts
    these are, and what must not happen besides. All others are distractors: a person drawn
    uniformly does what is possible, and taking or giving a certain thing is four times as likely as
    going to a certain place or dropping a certain thing. A thing whose place is asked for is never
    given. ``who-has`` asks for a thing that is uniform among those that somebody has, and
    ``who-gave`` for one among those that were given. The place of a ``no`` is uniform among the
    other places that were told, or among all others if none was.

    The source (section 3) has ready-made stories in English. Its task 8, lists, is left out, since
    a list is not one word. Of the questions on gifts in its task 5 two are here.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 48 % of the errors
    of chance.

    Three facts and a question (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Stories()
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        Noli went-to nemi . Noli took suro . Noli went-to litu . where-was suro ? [nemi]
    """

    #: Number of persons, from 2 to 1024.
    persons: int = 4
    #: Number of things, from 1 to 1024.
    things: int = 3
    #: Number of places, from 3 to 1024.
    places: int = 6
    #: What is asked: all, or one kind of question alone: where_person, where_thing, where_was,
    #: who_has, who_gave, is_there or how_many.
    question: str = "all"
    #: Fewest facts in training, from 3, or as many as things if these are more, to ``max_length``.
    min_length: int = 3
    #: Most facts in training, from as many as are the fewest to 100000.
    max_length: int = 12

    family = "reason"
    axis = "facts"
    version = 2
    lengths = Lengths(12, test=(6, 12, 18, 24, 48), select=((1, 1), (3, 2)))
    sentence_steps = FACT

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("persons", self.persons, most=MOST_NAMES)
        check_symbols("things", self.things, fewest=1, most=MOST_NAMES)
        check_symbols("places", self.places, fewest=3, most=MOST_NAMES)
        check_choice("task.question", self.question, ("all", *KINDS))
        check_length_range(self.min_length, self.max_length, shortest=self.shortest_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The places, the things, the persons, the verbs, and the words of questions."""
        words: tuple[str, ...] = self._language.shown
        return words

    @property
    def output_names(self) -> tuple[str, ...]:
        """The places, the persons, yes and no, and the numbers of things."""
        words: tuple[str, ...] = self._language.answers
        return words

    @property
    def shortest_length(self) -> int:
        """As many facts as a plot may need."""
        fewest: int = max(MOST_SUPPORTS, self.things)
        return fewest

    @property
    def variations(self) -> dict[str, Variation]:
        """Each kind of question by itself, at the longest training length."""
        return {
            kind.replace("_", " "): Variation(replace(self, question=kind), self.max_length)
            for kind in KINDS
            if self.question == "all"
        }

    @property
    def shortcuts(self) -> Shortcuts:
        """The question tells of what kind the answer is, and what was told of late is more likely.

        At the default sizes the question alone saves 0.19 of the errors, its last word 0.07, and a
        read-out of all words 0.30.
        """
        return Shortcuts(last=0.08, bag=0.31, linear=0.31)

    @property
    def sources_that_matter(self) -> float:
        """Most words of a fact cannot change alone; those of a gift, the only one, hardly ever."""
        return 0.3 if self.question == "all" else 0.0

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the kinds of questions, the plots, the stories, and what is asked."""
        check_range("length", length, self.shortest_length, MAX_LENGTH)
        kind = words.integers(0, len(KINDS) - 1, batch_size)
        if self.question != "all":
            kind[:] = KINDS.index(self.question)
        plot = draw_plot(words, kind, self.persons, self.things, length)
        facts, world = tell(words, plot, self.persons, self.places)
        question = ask(words, plot, facts, world, self.places)
        shown = np.concatenate([self._language.facts(facts), self._language.question(question)])
        answer = question.answers(world, facts, self.places)
        return self.batch(*then_answer(shown, answer[np.newaxis]), len(shown))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Let the facts come true one by one, and look."""
        facts, question = self._language.read(symbols_of(inputs[:-1]))
        world = after(facts, self.persons, self.things)
        solved = silence(*inputs.shape[:2])
        solved[-1] = question.answers(world, facts, self.places)
        return self.answered(solved)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The words of the facts that the answer rests on, and of the question; no full stops."""
        facts, question = self._language.read(symbols_of(inputs[:-1]))
        world = after(facts, self.persons, self.things)
        steps, size, _ = inputs.shape
        asked = np.ones((QUESTION, size), bool)
        asked[-1] = question.kind == Kind.IS_THERE
        words = np.repeat(question.grounds(world, facts), FACT, axis=0)
        words[FACT - 1 :: FACT] &= facts[:, 1] == GAVE
        sources = np.zeros((steps, size, steps), bool)
        sources[-1, :, :-1] = np.concatenate([words, asked]).T
        return sources

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other places, and other words of the question and of supporting facts."""
        edits: FloatArray = changes(inputs, self.sources(inputs)[-1].T, self._language)
        return edits

    def chance(self, length: int) -> Chance:
        """All kinds of questions are as likely, and all answers of each kind."""
        kinds = [kind for kind in Kind if self.question in ("all", KINDS[kind])]
        likely = likelihood(kinds, self.places, self.persons, self.things)
        return Chance(1 - max(likely), -sum(p * math.log2(p) for p in likely if p))

    def demand(self, length: int) -> int:
        """One for each person and each thing, as far as facts tell of them."""
        return min(length, self.persons + self.things)

    @property
    def _language(self) -> Language:
        return Language(self.places, self.things, self.persons)

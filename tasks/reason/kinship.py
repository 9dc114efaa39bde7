"""Kinship: conclude from facts on a family how two of its persons are related."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of, then_answer
from ntmbench.data.vocabulary import made_up
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.reason.relations import FACTS, NOBODY, RELATION, WORD_OF, WORDS
from ntmbench.tasks.reason.ways import drawn_ways, reached_by, steps_back

#: The facts that distractors tell.
CHILD, SIBLING = 1, 2


@register_task("kinship")
@dataclass(frozen=True)
class Kinship(SymbolTask):
    """Say what a person is to another, from L facts that lead there (Sinha et al. 2019, CLUTRR).

    ``b son-of a , c wife-of b ? c a -> daughter-in-law``: c is the daughter-in-law of a.

    A fact has three steps: a person, what that person is, and of whom, by one of eight words
    (father-of, mother-of, husband-of, and so on). L facts lead from one person to another, and
    ``distractors`` more tell of a child or a sibling of somebody on the way. The facts come in any
    order. Then come a question mark and the two persons, the last one first. The answer is one of
    23 words; the input is silent there. T = 3 (L + ``distractors``) + 4; the last step answers.

    All persons are different, and distinct names, drawn uniformly, stand for them. Brothers and
    sisters have the same parents, and a child's parents are a couple. ``relations.py`` has the
    table of what a person may be to the first one, and of the facts that may follow. What the last
    person is, man or woman apart, is uniform over what L facts can make, and so are all ways of L
    facts that lead there; each person is a man or a woman with equal chances. So are the order of
    the facts, and the persons whom distractors tell of. By chance 1 - 1/(2 R) of the answers are
    wrong, where R relations can be made by L facts, or 1 - 1/R if cousins are among them, who have
    one word for man and woman.

    The source tells such facts in sentences that people wrote, draws persons from whole families,
    and has distractors too (section 3.5). The words of the facts, in whatever order, rule out many
    an answer there and here: of four facts and two distractors, they and no name save 0.32 of
    chance's errors at best.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 73 % of the errors
    of chance.

    Two facts and a distractor (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Kinship(distractors=1)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        Tono son-of Feno Feno father-of Zife Buva brother-of Feno ? Tono Zife [brother]
    """

    #: Number of different names, from ``max_length`` + ``distractors`` + 1 to 4096.
    names: int = 24
    #: Facts beside those that lead from one person to the other, from 0 to ``names`` - 2.
    distractors: int = 2
    #: Fewest facts on the way in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most facts on the way in training, from 1 to ``names`` - ``distractors`` - 1.
    max_length: int = 4

    family = "reason"
    axis = "hops"
    version = 1
    lengths = Lengths(4, test=(2, 4, 6, 8, 12), select=((1, 1), (3, 2)))
    sentence_steps = 3
    sources_that_matter = 0.24  # a name matters as it stands in two facts; edits change it in none

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.distractors", self.distractors, 0, MAX_LENGTH)
        check_symbols("names", self.names, fewest=self.distractors + 2)
        check_range("task.max_length", self.max_length, 1, self.longest_length)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names, the words of facts, those of men first, and the question mark."""
        words = (f"{pair[woman]}-of" for woman in (0, 1) for pair in FACTS.values())
        return (*(name.title() for name in made_up(self.names)), *words, "?")

    @property
    def output_names(self) -> tuple[str, ...]:
        """What a person may be to another, each relation a man's and a woman's word."""
        words: tuple[str, ...] = WORDS
        return words

    @property
    def shortcuts(self) -> Shortcuts:
        """The words of the facts rule out answers in whatever order: 0.19 of the errors were saved.

        A bag of words knows of them, and so does a read-out of all words.
        """
        return Shortcuts(bag=0.19)

    @property
    def longest_length(self) -> int:
        """The most facts on the way for which there are names."""
        return self.names - self.distractors - 1

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the way backwards from what it leads to, then distractors, names and the order."""
        state, facts = drawn_ways(words, batch_size, length)
        count = length + self.distractors
        told = words.integers(CHILD, SIBLING, self.distractors, batch_size)
        woman = words.bits(count, batch_size).astype(np.int64)
        said = np.concatenate([facts, told]) + len(FACTS) * woman
        name = distinct(words, count + 1, self.names, batch_size)
        on_the_way = words.integers(0, length, self.distractors, batch_size)
        of = np.concatenate([name[:length], np.take_along_axis(name, on_the_way, axis=0)])
        order = words.uniform(count, batch_size).argsort(axis=0, kind="stable")
        parts = [np.take_along_axis(x, order, axis=0) for x in (name[1:], self.names + said, of)]
        end = np.full(batch_size, self.input_width - 1)
        question = np.concatenate(
            [np.stack(parts, axis=1).reshape(-1, batch_size), [end, name[length], name[0]]]
        )
        answer = WORD_OF[RELATION[state], woman[length - 1]]
        return self.batch(*then_answer(question, answer[np.newaxis]), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Go from the last person back to the first, and then forward through the table."""
        facts, solved = self._facts(inputs), silence(*inputs.shape[:2])
        solved[-1] = WORD_OF[RELATION[reached_by(facts % len(FACTS))], facts[-1] // len(FACTS)]
        return self.answered(solved)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The two persons asked for, and the facts on the way."""
        path = 3 * self._path(inputs)
        asked = [np.full_like(path[0], len(inputs) - back) for back in (3, 2)]
        return sources_at(inputs, np.concatenate([path, path + 1, path + 2, asked]).T[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other facts, where those on the way can follow one another, and distractors are such."""
        edits = other_symbols(inputs, slice(self.names, self.input_width - 1))
        together = np.concatenate([*edits.swapaxes(1, 2)]).swapaxes(0, 1)
        on_the_way = self._facts(together) % len(FACTS)
        facts = (symbols_of(together)[1:-4:3] - self.names) % len(FACTS)
        # As many tell of neither a child nor a sibling as do on the way.
        neither = [(~np.isin(of, (CHILD, SIBLING))).sum(axis=0) for of in (facts, on_the_way)]
        possible = (reached_by(on_the_way) != NOBODY) & (neither[0] == neither[1])
        return where_possible(inputs, edits, possible.reshape(len(edits), -1))

    def chance(self, length: int) -> Chance:
        """Every relation that L facts can make is as likely; cousins have one word for two."""
        kinds = set(RELATION[steps_back(length)[length].any(axis=(1, 2))].tolist())
        single = sum(WORD_OF[kind, 0] == WORD_OF[kind, 1] for kind in kinds)
        likeliest = (1 if single else 1 / 2) / len(kinds)
        return Chance(1 - likeliest, math.log2(len(kinds)) + 1 - float(single) / len(kinds))

    def demand(self, length: int) -> int:
        """One for each fact, since it may be on the way."""
        return length + self.distractors

    def _path(self, inputs: FloatArray) -> Integers:
        """The places ``[L, B]`` of the facts on the way among all facts, from the first person."""
        shown = symbols_of(inputs)
        persons, of, person = shown[:-4:3], shown[2:-4:3], shown[-3]
        path: list[Integers] = []
        for _ in range(len(persons) - self.distractors):
            path.insert(0, (persons == person).argmax(axis=0))
            person = np.take_along_axis(of, path[0][np.newaxis], axis=0)[0]
        return np.stack(path)

    def _facts(self, inputs: FloatArray) -> Integers:
        """The words ``[L, B]`` of the facts on the way, from the first person on."""
        words = np.take_along_axis(symbols_of(inputs), 3 * self._path(inputs) + 1, axis=0)
        return words - self.names

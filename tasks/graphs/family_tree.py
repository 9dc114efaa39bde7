"""Family tree: find the forebear to whom a line of fathers and mothers leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import exchanged_steps, other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, then_answer
from ntmbench.data.vocabulary import made_up
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.graphs.parents import RELATIONS, WORDS, Told, facts_of


@register_task("family_tree")
@dataclass(frozen=True)
class FamilyTree(SymbolTask):
    """Name the forebear that L steps lead to, from facts in any order (Graves et al. 2016, DNC).

    ``a mother c , c father d , a father b , c mother e ? a mother father -> d``, without the
    commas: the mother of a is c, and the father of c is d.

    A fact has three steps. A question mark, a person and L relations follow, and then the input is
    silent while the answer is asked for. With 4 L - 2 facts, T = 13 L - 3.

    Both parents of the person are told, and so are those of both parents in each generation that
    the line passes through. Of the parent that it leaves, nothing is told beyond that. Each
    relation of the question is a fair coin. The persons' names are distinct, and uniform; so is the
    order of the facts. A name is no man's or woman's. By chance 1 - 1/``names`` of the answers are
    wrong.

    The source asks for one of many named relations, such as a maternal great-uncle, in trees of a
    fixed shape. Here the relation is spelled out, so that its length can grow.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 90 % of the errors
    of chance.

    One generation (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = FamilyTree()
        >>> print(as_words(task, task.test_set(length=1, sequences=1)))
        noli mother buva noli father goge ? noli mother [buva]
    """

    #: Number of different names, from as many as persons, 4 ``max_length`` - 1, to 4096.
    names: int = 32
    #: Fewest generations in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most generations in training, from 1 to (``names`` + 1) / 4.
    max_length: int = 4

    family = "graphs"
    axis = "generations"
    version = 1
    lengths = Lengths(4, test=(2, 4, 6, 8), select=((1, 1), (3, 2)))
    # A name stands in several facts, and only near the end does another line go far enough.
    sources_that_matter = 0.4

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("names", self.names, fewest=3)
        check_range("task.max_length", self.max_length, 1, self.longest_length)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the persons, the relations, and the question mark."""
        return (*made_up(self.names), *RELATIONS, "?")

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the persons."""
        return made_up(self.names)

    @property
    def longest_length(self) -> int:
        """The most generations for which there are names."""
        return (self.names + 1) // 4

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the line that is asked for, the names, and the order of the facts."""
        asked = words.bits(length, batch_size).astype(np.int64)  # which parent, at each step
        # Person 0 is asked about. Generation g = 1 .. L has the parents 4 g - 3 and 4 g - 2 of the
        # one on the line, and 4 g - 1 and 4 g are the parents of the one that the line leaves.
        generation = np.arange(length)[:, np.newaxis]
        child = np.where(generation > 0, 4 * generation - 3 + np.roll(asked, 1, axis=0), 0)
        left = 4 * generation[:-1] + 2 - asked[:-1]
        facts = np.concatenate(
            [
                facts_of(child, 4 * generation + 1 + 0 * asked, self.names),
                facts_of(left, 4 * generation[:-1] + 3 + 0 * asked[:-1], self.names),
            ]
        )  # [facts, 3, B]
        order = words.uniform(len(facts), batch_size).argsort(axis=0, kind="stable")
        told = np.take_along_axis(facts, order[:, np.newaxis], axis=0)
        name = distinct(words, 4 * length - 1, self.names, batch_size)
        for word in (0, 2):
            told[:, word] = np.take_along_axis(name, told[:, word], axis=0)
        mark = np.full((1, batch_size), self.names + len(RELATIONS))
        question = np.concatenate(
            [told.reshape(-1, batch_size), mark, name[:1], self.names + asked]
        )
        answer = np.take_along_axis(name, 4 * length - 3 + asked[-1:], axis=0)
        return self.batch(*then_answer(question, answer), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Write down everybody's parents, and go from one to the next."""
        told, sequences = Told.by(inputs, self.names), np.arange(inputs.shape[1])
        parents, here = told.parents(self.names), told.person
        for relation in told.relations:
            here = parents[sequences, here, relation]
        solved = silence(*inputs.shape[:2])
        solved[-1] = here
        return self.answered(solved)

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The person asked about, each relation asked for, and the facts on the line."""
        told, line = Told.by(inputs, self.names), list[Integers]()
        person, of, parent = told.facts.swapaxes(0, 1)
        here = told.person
        for relation in told.relations:
            line.append(((person == here) & (of == relation)).argmax(axis=0))
            here = np.take_along_axis(parent, line[-1][np.newaxis], axis=0)[0]
        words = [WORDS * fact + word for fact in line for word in range(WORDS)]
        last = len(inputs) - 2
        asked = [np.full_like(here, step) for step in range(last - len(line), last + 1)]
        return sources_at(inputs, np.stack([*words, *asked], axis=1)[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other relations, and words of two facts exchanged, where that is another family."""
        end = WORDS * len(Told.by(inputs, self.names).facts)
        words = [exchanged_steps(inputs, range(word, end, WORDS)) for word in range(WORDS)]
        relations = other_symbols(inputs, slice(self.names, self.names + len(RELATIONS)))
        edits = np.concatenate([relations, *words])
        together = edits.swapaxes(0, 1).reshape(len(inputs), -1, inputs.shape[2])
        possible = Told.by(together, self.names).are_families(self.names)
        return where_possible(inputs, edits, possible.reshape(len(edits), -1))

    @property
    def shortcuts(self) -> Shortcuts:
        """One of the 2 L persons answers whose own parents are not told, and who come once."""
        return Shortcuts(linear=1 / (2 * self.max_length))

    def chance(self, length: int) -> Chance:
        """Every name is as likely as any other."""
        return Chance.of_uniform_symbols(1, self.names)

    def demand(self, length: int) -> int:
        """One for each fact."""
        return 4 * length - 2

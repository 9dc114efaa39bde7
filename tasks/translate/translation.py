"""Translation: put sentences of a made-up language into another one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import (
    SILENT,
    SymbolTask,
    check_symbols,
    one_hot,
    symbols_of,
    then_answer,
)
from ntmbench.errors import check_choice, check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation
from ntmbench.tasks.translate.edits import edited
from ntmbench.tasks.translate.words import HELD_BACK, Lexicon, Words, ordered

#: Of each kind; there are made-up words for so many in both languages.
MOST_WORDS = 800


@register_task("translation")
@dataclass(frozen=True)
class Translation(SymbolTask):
    """Translate a sentence of L clauses from one made-up language into another.

    ``one a V many n who W one m | -> the A the M Ws who the N Vs |`` with two clauses: "a V n", and
    "n who W m".

    A sentence is a noun phrase, a verb and a noun phrase; every further clause is "who", a verb and
    a noun phrase, and tells of the noun before it. A noun phrase is "one" or "many", an adjective
    or none, and a noun. The other language

    - has a word of its own for each noun, verb and adjective;
    - has an article before the noun, which agrees with the noun's class and with its number; the
      classes alternate in the order of the nouns;
    - puts the adjective behind the noun, in a form of the noun's class;
    - puts the verb at the end of its clause, in a form of its subject's number;
    - puts the clause that tells of a noun, and then its "who", before the noun's article.

    A delimiter ends either sentence; the input is silent during the answer. Silence before the
    sentence fills it up to 5 L + 3 steps, so that all end at the same step. The answer has as many
    steps, of which those up to the delimiter are scored. T = 10 L + 6.

    Nouns are uniform, and so are numbers, and whether there is an adjective. Of four words in the
    order of their kind, one is held back from each noun: an adjective from the nouns that it would
    tell of, a verb from those that would be its object. Verbs and adjectives are uniform over the
    others; with ``combinations=new``, which a variation tests, over those held back, so that no
    such pair was ever seen. More clauses than in training are deeper nesting.

    An answer has 4.5 L + 2.5 words in the mean. By chance all of them are wrong but the most
    frequent one. At the default sizes this is "who", which is right L - 1 times; with one clause or
    two it is the delimiter, which is right once.

    Short sentences come again. At the default sizes there are 12,288 of one clause, and two of them
    are alike once in 6,912 times. A training on 7,000 of them has seen more than half of those of
    the tests. Two of two clauses are alike once in a million times.

    The languages are this suite's own. The splits serve the same purposes as those of PCFG SET
    (Hupkes et al. 2020), which edits strings by functions and calls them systematicity and
    productivity, and of COGS (Kim and Linzen 2020), which gives sentences a logical form, and tests
    new combinations and deeper recursion.

    Two clauses (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Translation()
        >>> words = as_words(task, task.test_set(length=2, sequences=1)).strip("_ ")
        >>> question, answer = words.split(" | ")
        >>> print(question)
        hu noli suro kafe hono tepo rada wo kafe hu nemi
        >>> print(answer)
        [ha] [tono] [pigis] [ha] [paki] [kuberen] [we] [hon] [ruza] [vamol] [kuber] [|]
    """

    #: Number of different nouns, from 2 to 800.
    nouns: int = 8
    #: Number of different verbs, from 4 to 800.
    verbs: int = 4
    #: Number of different adjectives, from 4 to 800.
    adjectives: int = 4
    #: Which adjectives and verbs go with a noun: known (those of training) or new (the others).
    combinations: str = "known"
    #: Fewest clauses in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most clauses in training, from 1 to 100000.
    max_length: int = 3

    family = "translate"
    axis = "clauses"
    version = 1
    lengths = Lengths(3, test=(2, 3, 4, 6), select=((1, 1), (3, 2)))
    sentence_steps = 0

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("nouns", self.nouns, most=MOST_WORDS)
        check_symbols("verbs", self.verbs, fewest=HELD_BACK, most=MOST_WORDS)
        check_symbols("adjectives", self.adjectives, fewest=HELD_BACK, most=MOST_WORDS)
        check_choice("task.combinations", self.combinations, ("known", "new"))
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Nouns, verbs, adjectives, the words for one, many and who, and the delimiter."""
        words: tuple[str, ...] = self._lexicon.first_language
        return words

    @property
    def output_names(self) -> tuple[str, ...]:
        """Nouns, both forms of verbs and of adjectives, articles, who, and the delimiter."""
        words: tuple[str, ...] = self._lexicon.second_language
        return words

    @property
    def variations(self) -> dict[str, Variation]:
        """Pairs of words that training never shows, at the longest training length."""
        if self.combinations == "new":
            return {}
        new = Variation(replace(self, combinations="new"), self.max_length)
        return {"new combinations": new}

    @property
    def sources_that_matter(self) -> float:
        """All but "who" and the delimiter, which cannot change: L of at least 6 L + 3."""
        return 1 - self.max_length / (6 * self.max_length + 3)

    @property
    def shortcuts(self) -> Shortcuts:
        """Each step has words of few kinds: to know the step alone saved 0.13 of the errors.

        The answer is made of few words, so that knowing all of them without their order saved 0.28.
        At one length the steps of words differ by no more than the adjectives that are missing, so
        that a linear read-out finds many: 0.76 were saved.
        """
        return Shortcuts(place=0.13, bag=0.28, linear=0.76)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw nouns, their numbers, and which adjectives and verbs go with them."""
        check_range("length", length, 1, MAX_LENGTH)
        shape = (length + 1, batch_size)
        noun = words.integers(0, self.nouns - 1, *shape)
        many = words.integers(0, 1, *shape)
        verb = self._beside(words, noun[1:], self.verbs)
        adjective = np.where(
            words.bits(*shape) == 1, self._beside(words, noun, self.adjectives), SILENT
        )
        said = Words(noun, many, adjective, verb)
        question = self._lexicon.sentence(said)
        return self.batch(*then_answer(question, self._lexicon.translated(said)), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Find the words of the phrases and the verbs, translate them, and put them in order."""
        answer = self._lexicon.translated(self._words(inputs))
        before = np.full((len(inputs) - len(answer), inputs.shape[1]), SILENT)
        return self.answered(np.concatenate([before, answer]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The word itself, and the one that it agrees with.

        An article is made of the noun and its number. The delimiter's source is the other one.
        """
        at, who = self._steps(inputs)
        end = np.full((1, inputs.shape[1]), len(inputs) // 2 - 1)
        # Two steps are written as one number, so that both are put where the word is.
        base = len(inputs) + 1
        both = ordered(
            at.many * base + at.noun + 1,
            at.noun * base,
            np.where(at.adjective == SILENT, SILENT, at.adjective * base + at.noun + 1),
            at.verb * base + at.many[:-1] + 1,
            np.where(who == SILENT, SILENT, who * base),
            end * base,
        )
        steps = np.stack(np.divmod(both, base), axis=2) - [0, 1]
        return sources_at(inputs, np.where(both[..., np.newaxis] == SILENT, SILENT, steps))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other words of the same kind, where they go with those beside them."""
        edits = []
        for words in edited(self._lexicon, self._words(inputs)):
            question = one_hot(self._lexicon.sentence(words), self.input_width)
            edits.append(np.concatenate([question, inputs[len(question) :]]))
        return np.stack(edits)

    def chance(self, length: int) -> Chance:
        """The number of times that each word is expected."""
        counts = self._lexicon.expected(length)
        there = counts[counts > 0]
        loss = -float((there * np.log2(there / there.sum())).sum())
        return Chance(float(counts.sum() - counts.max()), loss)

    def collision_entropy(self, length: int) -> float:
        """Nouns, numbers, adjectives (half of which are none) and verbs are alike by chance."""
        told, done = (
            1 / self._lexicon.fits(count).sum(axis=1) for count in (self.adjectives, self.verbs)
        )
        alike = (1 / self.nouns) ** 2 / 2 * (1 + told) / 4  # phrases, by their noun
        return -float(np.log2(alike.sum()) + length * np.log2((alike * done).sum()))

    def demand(self, length: int) -> int:
        """One for each word, as far as all are there."""
        return 5 * length + 2

    @property
    def _lexicon(self) -> Lexicon:
        """The words of both languages."""
        new = self.combinations == "new"
        return Lexicon(self.nouns, self.verbs, self.adjectives, new)

    def _beside(self, words: RandomWords, noun: Integers, count: int) -> Integers:
        """One of ``count`` verbs or adjectives for each noun, uniform over those that fit."""
        luck = words.uniform(*noun.shape, count)
        chosen: Integers = np.where(self._lexicon.fits(count)[noun], luck, 0).argmax(axis=-1)
        return chosen

    def _steps(self, inputs: FloatArray) -> tuple[Words, Integers]:
        """The steps of the words, and of "who"."""
        at, who = self._lexicon.steps(symbols_of(inputs), len(inputs) // 10)
        return at, who

    def _words(self, inputs: FloatArray) -> Words:
        """The words of the sentences."""
        at, _ = self._steps(inputs)
        return self._lexicon.words(symbols_of(inputs), at)

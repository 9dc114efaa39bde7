"""Translation: put sentences of a made-up language into another one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.edits import other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, symbols_of, then_answer
from ntmbench.data.vocabulary import END, made_up
from ntmbench.errors import check_choice, check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts, Variation
from ntmbench.tasks.translate.sentences import moved, step_in_parts

#: One word in so many goes with a noun in tests of new combinations alone.
HELD_BACK = 4

#: Of each kind; there are made-up words for so many in both languages.
MOST_WORDS = 800


@register_task("translation")
@dataclass(frozen=True)
class Translation(SymbolTask):
    """Translate a sentence of L clauses, in kind as PCFG SET (Hupkes et al. 2020) and COGS.

    ``one a V many n who W one m | -> the A the M Ws who the N Vs |`` with two clauses: "a V n", and
    "n who W m". (COGS: Kim and Linzen 2020.)

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

    PCFG SET edits strings by functions, and COGS gives sentences a logical form. This is a second
    language instead, with splits for the same purposes.

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

    #: Number of different nouns.
    nouns: int = 8
    #: Number of different verbs.
    verbs: int = 4
    #: Number of different adjectives.
    adjectives: int = 4
    #: Which adjectives and verbs go with a noun: known (those of training) or new (the others).
    combinations: str = "known"
    #: Fewest clauses in training.
    min_length: int = 1
    #: Most clauses in training.
    max_length: int = 3

    family = "translate"
    axis = "clauses"
    version = 1
    lengths = Lengths(3, test=(2, 3, 4, 6), select=((1, 1), (3, 2)))
    sources_that_matter = 0.83  # "who" and the delimiter do not change

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
        return (*made_up(2 * self._lexicon)[: self._lexicon], "hu", "hono", "wo", END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Nouns, both forms of verbs and of adjectives, articles, who, and the delimiter."""
        words = made_up(2 * self._lexicon)[self._lexicon :]
        verbs = [
            word + end
            for end in ("r", "ren")
            for word in words[self.nouns : self.nouns + self.verbs]
        ]
        adjectives = [word + end for end in ("s", "l") for word in words[self.nouns + self.verbs :]]
        articles = ("ha", "ho", "han", "hon")  # one of either class, many of either class
        return (*words[: self.nouns], *verbs, *adjectives, *articles, "we", END)

    @property
    def variations(self) -> dict[str, Variation]:
        """Pairs of words that training never shows, at the longest training length."""
        if self.combinations == "new":
            return {}
        new = Variation(replace(self, combinations="new"), self.max_length)
        return {"new combinations": new}

    @property
    def shortcuts(self) -> Shortcuts:
        """Each step has words of few kinds: to know the step alone saved 0.12 of the errors.

        At one length the steps of words differ by no more than the adjectives that are missing, so
        that a linear read-out finds many: 0.63 were saved.
        """
        return Shortcuts(place=0.13, linear=0.65)

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
        told = np.where(adjective == SILENT, SILENT, self.nouns + self.verbs + adjective)
        phrases = np.stack([self._lexicon + many, told, noun], axis=1)  # [L + 1, 3, B]
        who = np.full((length, batch_size), self._lexicon + 2)
        who[0] = SILENT
        clauses = np.concatenate([np.stack([who, self.nouns + verb], axis=1), phrases[1:]], axis=1)
        sentence = np.concatenate([phrases[0], *clauses])
        end = np.full((1, batch_size), self.input_width - 1)
        question = np.concatenate([moved(sentence, silent_first=True)[1:], end])
        answer = _ordered(*self._translated(noun, many, adjective, verb))
        return self.batch(*then_answer(question, answer), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Find the words of the phrases and the verbs, translate them, and put them in order."""
        noun, many, adjective, verb, _ = self._steps(inputs)
        shown = symbols_of(inputs)
        first_adjective = self.nouns + self.verbs
        answer = _ordered(
            *self._translated(
                _at(shown, noun),
                _at(shown, many) - self._lexicon,
                np.where(adjective == SILENT, SILENT, _at(shown, adjective) - first_adjective),
                _at(shown, verb) - self.nouns,
            )
        )
        before = np.full((len(shown) - len(answer), shown.shape[1]), SILENT)
        return self.answered(np.concatenate([before, answer]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The word itself, and the one that it agrees with.

        An article is made of the noun and its number. The delimiter's source is the other one.
        """
        noun, many, adjective, verb, who = self._steps(inputs)
        end = np.full((1, inputs.shape[1]), len(inputs) // 2 - 1)
        # Two steps are written as one number, so that both are put where the word is.
        base = len(inputs) + 1
        pairs = (many * base + noun + 1, noun * base, adjective * base + noun + 1)
        both = _ordered(
            *pairs[:2],
            np.where(adjective == SILENT, SILENT, pairs[2]),
            verb * base + many[:-1] + 1,
            np.where(who == SILENT, SILENT, who * base),
            end * base,
        )
        steps = np.stack(np.divmod(both, base), axis=2) - [0, 1]
        return sources_at(inputs, np.where(both[..., np.newaxis] == SILENT, SILENT, steps))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other words of the same kind, and other numbers, where they go with those beside them."""
        bounds = np.cumsum([0, self.nouns, self.verbs, self.adjectives, 2]).tolist()
        kinds = map(slice, bounds[:-1], bounds[1:])
        edits = np.concatenate([other_symbols(inputs, kind) for kind in kinds])
        together = edits.swapaxes(0, 1).reshape(len(inputs), -1, inputs.shape[2])
        noun, _, adjective, verb, _ = self._steps(together)
        shown = symbols_of(together)
        nouns = _at(shown, noun)
        told = (_at(shown, adjective) - self.nouns - self.verbs) % self.adjectives
        fits = self._fits(self.adjectives)[nouns, told] | (adjective == SILENT)
        done = self._fits(self.verbs)[nouns[1:], _at(shown, verb) - self.nouns]
        possible = fits.all(axis=0) & done.all(axis=0)
        return where_possible(inputs, edits, possible.reshape(len(edits), -1))

    def chance(self, length: int) -> Chance:
        """The number of times that each word is expected."""
        phrases = length + 1
        second = np.arange(self.nouns) % 2 == 1
        verb, adjective = (
            fits / fits.sum(axis=1, keepdims=True) / self.nouns
            for fits in (self._fits(self.verbs), self._fits(self.adjectives))
        )
        counts = np.concatenate(
            [
                np.full(self.nouns, phrases / self.nouns),
                np.tile(verb.sum(axis=0), 2) * length / 2,
                *(adjective[of].sum(axis=0) * phrases / 2 for of in (~second, second)),
                np.tile([(~second).mean(), second.mean()], 2) * phrases / 2,
                [length - 1, 1],
            ]
        )
        there = counts[counts > 0]
        loss = -float((there * np.log2(there / there.sum())).sum())
        return Chance(float(counts.sum() - counts.max()), loss)

    def demand(self, length: int) -> int:
        """One for each word, as far as all are there."""
        return 5 * length + 2

    @property
    def _lexicon(self) -> int:
        """The number of nouns, verbs and adjectives."""
        return self.nouns + self.verbs + self.adjectives

    def _fits(self, count: int) -> NDArray[np.bool_]:
        """Which of ``count`` verbs or adjectives go with each noun, ``[nouns, count]``."""
        sums = np.arange(self.nouns)[:, np.newaxis] + np.arange(count)
        held_back: NDArray[np.bool_] = sums % HELD_BACK == 0
        return held_back if self.combinations == "new" else ~held_back

    def _beside(self, words: RandomWords, noun: Integers, count: int) -> Integers:
        """One of ``count`` verbs or adjectives for each noun, uniform over those that fit."""
        luck = words.uniform(*noun.shape, count)
        chosen: Integers = np.where(self._fits(count)[noun], luck, 0).argmax(axis=-1)
        return chosen

    def _translated(
        self, noun: Integers, many: Integers, adjective: Integers, verb: Integers
    ) -> tuple[Integers, ...]:
        """Article, noun and adjective of phrases, verb and "who" of clauses, and the end."""
        kind = noun % 2
        adjectives = self.nouns + 2 * self.verbs
        articles = adjectives + 2 * self.adjectives
        who = np.full_like(verb, articles + 4)
        who[0] = SILENT
        told = adjectives + kind * self.adjectives + adjective
        return (
            articles + 2 * many + kind,
            noun,
            np.where(adjective == SILENT, SILENT, told),
            self.nouns + many[:-1] * self.verbs + verb,
            who,
            np.full_like(verb[:1], articles + 5),
        )

    def _steps(self, inputs: FloatArray) -> tuple[Integers, ...]:
        """The steps of each phrase's noun, number and adjective, each clause's verb and "who"."""
        shown, length = symbols_of(inputs), len(inputs) // 10
        first_adjective = self.nouns + self.verbs
        verb = (shown >= self.nouns) & (shown < first_adjective)
        phrase = verb.cumsum(axis=0)
        noun = (shown >= 0) & (shown < self.nouns)
        many = (shown == self._lexicon) | (shown == self._lexicon + 1)
        adjective = (shown >= first_adjective) & (shown < self._lexicon)
        found = [step_in_parts(said, phrase, length + 1) for said in (noun, many, adjective)]
        who = step_in_parts(shown == self._lexicon + 2, phrase, length + 1)
        return *found, step_in_parts(verb, phrase - 1, length), who[:-1]


def _at(shown: Integers, steps: Integers) -> Integers:
    """The symbols ``[L, B]`` at these steps of ``[T, B]``."""
    return np.take_along_axis(shown, steps, axis=0)


def _ordered(
    article: Integers,
    noun: Integers,
    adjective: Integers,
    verb: Integers,
    who: Integers,
    end: Integers,
) -> Integers:
    """The other sentence ``[5 L + 3, B]``: its first phrase, and then the last clause first.

    ``article``, ``noun`` and ``adjective`` are ``[L + 1, B]``, ``verb`` and ``who`` ``[L, B]``.
    """
    phrases = np.stack([article, noun, adjective], axis=1)
    clauses = np.concatenate([phrases[1:], np.stack([verb, who], axis=1)], axis=1)
    sentence = np.concatenate([phrases[0], *clauses[::-1]])[:-1]  # the main clause has no "who"
    ordered: Integers = moved(np.concatenate([sentence, end]), silent_first=False)
    return ordered

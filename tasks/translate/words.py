"""Translation's two languages: their words, which of them go together, and the order of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.symbols import SILENT
from ntmbench.data.vocabulary import END, made_up
from ntmbench.tasks.translate.sentences import moved, step_in_parts

#: One word in so many goes with a noun in tests of new combinations alone.
HELD_BACK = 4


class Words(NamedTuple):
    """The words of sentences of L clauses, or the steps at which they stand; SILENT for none.

    A phrase has a noun, a word for its number (0 for one, 1 for many) and maybe an adjective,
    ``[L + 1, B]``; a clause has a verb, ``[L, B]``. Words are counted within their kind.
    """

    noun: Integers
    many: Integers
    adjective: Integers
    verb: Integers


@dataclass(frozen=True)
class Lexicon:
    """The words of both languages.

    The first language's symbols are nouns, verbs, adjectives, "one", "many" and "who", and the
    delimiter. Those of the second one are nouns, the two forms of verbs and the two of adjectives,
    four articles, "who", and the delimiter.
    """

    nouns: int
    verbs: int
    adjectives: int
    #: Whether words go together that are held back from training, and no others.
    new: bool

    @property
    def size(self) -> int:
        """The number of nouns, verbs and adjectives."""
        return self.nouns + self.verbs + self.adjectives

    @property
    def first_language(self) -> tuple[str, ...]:
        """Its words."""
        return (*made_up(2 * self.size)[: self.size], "hu", "hono", "wo", END)

    @property
    def second_language(self) -> tuple[str, ...]:
        """Its words."""
        words = made_up(2 * self.size)[self.size :]
        verbs = [
            word + end
            for end in ("r", "ren")
            for word in words[self.nouns : self.nouns + self.verbs]
        ]
        adjectives = [word + end for end in ("s", "l") for word in words[self.nouns + self.verbs :]]
        articles = ("ha", "ho", "han", "hon")  # one of either class, many of either class
        return (*words[: self.nouns], *verbs, *adjectives, *articles, "we", END)

    def fits(self, count: int) -> NDArray[np.bool_]:
        """Which of ``count`` verbs or adjectives go with each noun, ``[nouns, count]``."""
        sums = np.arange(self.nouns)[:, np.newaxis] + np.arange(count)
        held_back: NDArray[np.bool_] = sums % HELD_BACK == 0
        return held_back if self.new else ~held_back

    def expected(self, length: int) -> NDArray[np.float64]:
        """How often each word of the second language is expected in sentences of L clauses."""
        phrases = length + 1
        second = np.arange(self.nouns) % 2 == 1  # nouns of the second class
        verb, adjective = (
            fits / fits.sum(axis=1, keepdims=True) / self.nouns
            for fits in (self.fits(self.verbs), self.fits(self.adjectives))
        )
        return np.concatenate(
            [
                np.full(self.nouns, phrases / self.nouns),
                np.tile(verb.sum(axis=0), 2) * length / 2,
                *(adjective[of].sum(axis=0) * phrases / 2 for of in (~second, second)),
                np.tile([(~second).mean(), second.mean()], 2) * phrases / 2,
                [length - 1, 1],
            ]
        )

    def sentence(self, words: Words) -> Integers:
        """The sentence ``[5 L + 3, B]`` of the first language, with the delimiter at its end."""
        length, batch_size = words.verb.shape
        told = np.where(
            words.adjective == SILENT, SILENT, self.nouns + self.verbs + words.adjective
        )
        phrases = np.stack([self.size + words.many, told, words.noun], axis=1)  # [L + 1, 3, B]
        who = np.full((length, batch_size), self.size + 2)
        who[0] = SILENT
        clauses = np.concatenate(
            [np.stack([who, self.nouns + words.verb], axis=1), phrases[1:]], axis=1
        )
        said = moved(np.concatenate([phrases[0], *clauses]), silent_first=True)
        # The main clause has no "who".
        return np.concatenate([said[1:], np.full((1, batch_size), self.size + 3)])

    def translated(self, words: Words) -> Integers:
        """The sentence ``[5 L + 3, B]`` of the second language, with the delimiter at its end."""
        kind = words.noun % 2
        adjectives = self.nouns + 2 * self.verbs
        articles = adjectives + 2 * self.adjectives
        told = adjectives + kind * self.adjectives + words.adjective
        who = np.full_like(words.verb, articles + 4)
        who[0] = SILENT
        return ordered(
            articles + 2 * words.many + kind,
            words.noun,
            np.where(words.adjective == SILENT, SILENT, told),
            self.nouns + words.many[:-1] * self.verbs + words.verb,
            who,
            np.full_like(words.verb[:1], articles + 5),
        )

    def steps(self, shown: Integers, length: int) -> tuple[Words, Integers]:
        """The steps of a sentence's words, and of each clause's "who"; ``shown [T, B]``."""
        first_adjective = self.nouns + self.verbs
        verb = (shown >= self.nouns) & (shown < first_adjective)
        phrase = verb.cumsum(axis=0)
        said = [
            (shown >= 0) & (shown < self.nouns),
            (shown == self.size) | (shown == self.size + 1),
            (shown >= first_adjective) & (shown < self.size),
            shown == self.size + 2,
        ]
        noun, many, adjective, who = (step_in_parts(of, phrase, length + 1) for of in said)
        return Words(noun, many, adjective, step_in_parts(verb, phrase - 1, length)), who[:-1]

    def words(self, shown: Integers, at: Words) -> Words:
        """The words ``at`` these steps of ``shown [T, B]``."""
        noun, many, adjective, verb = (np.take_along_axis(shown, steps, axis=0) for steps in at)
        told = np.where(at.adjective == SILENT, SILENT, adjective - self.nouns - self.verbs)
        return Words(noun, many - self.size, told, verb - self.nouns)


def ordered(
    article: Integers,
    noun: Integers,
    adjective: Integers,
    verb: Integers,
    who: Integers,
    end: Integers,
) -> Integers:
    """The second language's order ``[5 L + 3, B]``: the first phrase, then the last clause first.

    ``article``, ``noun`` and ``adjective`` are ``[L + 1, B]``, ``verb`` and ``who`` ``[L, B]``.
    """
    phrases = np.stack([article, noun, adjective], axis=1)
    clauses = np.concatenate([phrases[1:], np.stack([verb, who], axis=1)], axis=1)
    sentence = np.concatenate([phrases[0], *clauses[::-1]])[:-1]  # the main clause has no "who"
    put: Integers = moved(np.concatenate([sentence, end]), silent_first=False)
    return put

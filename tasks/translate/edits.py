"""Edits of translation's sentences: the same with another word, where the task could draw it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.symbols import SILENT
from ntmbench.tasks.translate.words import HELD_BACK, Lexicon, Words


def edited(lexicon: Lexicon, words: Words) -> list[Words]:
    """Other sentences whose words stand at the same steps: each word by itself is another one.

    With a noun, the adjective and the verb that go with it change too if they do not go with the
    other noun.
    """
    found = []
    for phrase in range(len(words.noun)):
        many = words.many.copy()
        many[phrase] = 1 - many[phrase]
        found.append(words._replace(many=many))
        found.append(_beside(lexicon, words, phrase, adjective=1))
        found.append(_beside(lexicon, words, phrase, verb=1))
        # Among so many further ones are nouns of either class.
        for further in range(1, min(lexicon.nouns, HELD_BACK + 1)):
            noun = words.noun.copy()
            noun[phrase] = (noun[phrase] + further) % lexicon.nouns
            found.append(_beside(lexicon, words._replace(noun=noun), phrase))
    return found


def _beside(
    lexicon: Lexicon, words: Words, phrase: int, *, adjective: int = 0, verb: int = 0
) -> Words:
    """The words with an adjective and a verb that go with the noun of a phrase.

    They are the first that do, from so many words after the present one on.
    """
    noun = words.noun[phrase]
    told, done = words.adjective.copy(), words.verb.copy()
    fitting = _from(lexicon.fits(lexicon.adjectives)[noun], told[phrase] + adjective)
    told[phrase] = np.where(told[phrase] == SILENT, SILENT, fitting)
    if phrase > 0:  # the first phrase is no verb's object
        done[phrase - 1] = _from(lexicon.fits(lexicon.verbs)[noun], done[phrase - 1] + verb)
    return words._replace(adjective=told, verb=done)


def _from(fits: NDArray[np.bool_], start: Integers) -> Integers:
    """The first word ``[B]`` that ``fits [B, count]`` from ``start [B]`` on, all in a circle."""
    count = fits.shape[1]
    circle = (start[:, np.newaxis] + np.arange(count)) % count
    first = np.take_along_axis(fits, circle, axis=1).argmax(axis=1)
    found: Integers = circle[np.arange(len(start)), first]
    return found

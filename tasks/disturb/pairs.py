"""What the tasks of pairs share: keys and values are shown, and a key is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.edits import exchanged_steps, where_possible
from ntmbench.data.layout import answer_at_end, question_and_answer, sources_at
from ntmbench.data.randomness import RandomWords
from ntmbench.data.vectors import VectorTask
from ntmbench.task import Batch, FloatArray, Shortcuts

BitArray = NDArray[np.uint8]


@dataclass(frozen=True)
class PairTask(VectorTask):
    """Answer a queried key with its value: ``k1 v1 k2 v2 k3 v3 ?k2? -> v2``.

    Keys and values are vectors of bits, one a step. A channel of its own is raised beside each key,
    and one of another kind beside the query, whose answer is asked for at the step after it. The
    answer is the value of the key from which the query differs in the fewest bits, and of the first
    one if there are several, so that it is a function of the input.
    """

    #: Bits of a vector, from 1 to 1024.
    bits: int = 12

    further_channels = ("key", "query")  # what is raised beside either

    def pairs_at(self, length: int) -> int:
        """The number of pairs of a sequence."""
        raise NotImplementedError

    def flips_at(self, length: int, words: RandomWords, batch_size: int) -> BitArray:
        """1 where a bit of the query is flipped, ``[B, bits]``; here none is."""
        return np.zeros((batch_size, self.bits), np.uint8)

    def between_at(self, length: int, words: RandomWords, batch_size: int) -> BitArray:
        """The vectors between pairs and query, ``[steps, B, bits]``; here there are none."""
        return np.zeros((0, batch_size, self.bits), np.uint8)

    @property
    def shortcuts(self) -> Shortcuts:
        """The answer is one of the values, so that a linear read-out may let them vote on each bit.

        The vote of m fair bits agrees with one of them more often than not by
        C(m - 1, (m - 1) / 2) / 2^(m - 1), the mean of the absolute sum over m. In a bag of vectors
        all keys but the queried one vote too.
        """
        pairs = self.pairs_at(self.length_range[1])
        return Shortcuts(bag=_vote(2 * pairs - 1), linear=_vote(pairs))

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the pairs, which of them is asked for, and what disturbs."""
        shown = 2 * self.pairs_at(length)
        key, value = words.bits(2, shown // 2, batch_size, self.bits)
        asked = words.integers(0, len(key) - 1, batch_size)
        query = key[asked, np.arange(batch_size)] ^ self.flips_at(length, words, batch_size)
        between = self.between_at(length, words, batch_size)
        question = np.zeros((shown + len(between) + 1, batch_size, self.input_width), np.float32)
        vectors = question[:, :, : self.bits]
        vectors[:shown:2], vectors[1:shown:2] = key, value
        vectors[shown:-1], vectors[-1] = between, query
        question[:shown:2, :, self.bits] = 1
        question[-1, :, self.bits + 1] = 1
        answer = value[_nearest(key, query), np.arange(batch_size)]
        return question_and_answer(question, answer[np.newaxis])

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look the query up among the keys, and give the vector that followed the nearest."""
        value = 1 + self._asked(inputs)
        answer = inputs[value, np.arange(inputs.shape[1]), : self.bits]
        return answer_at_end(answer[np.newaxis], len(inputs))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query, the step of the nearest key and that of its value."""
        key = self._asked(inputs)
        query = np.full_like(key, len(inputs) - 2)
        return sources_at(inputs, np.stack([query, key, key + 1], axis=1)[np.newaxis])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other values and vectors between; the queried key exchanged; another key asked for."""
        keys = np.flatnonzero(inputs[:, 0, self.bits])
        others = np.setdiff1d(np.arange(len(inputs) - 2), keys)
        asked = self._asked(inputs)
        ends = np.array([(a, b) for a in keys for b in keys if a < b], int).reshape(-1, 2, 1)
        moved = exchanged_steps(inputs, keys)
        queries = np.repeat(inputs[np.newaxis], len(keys), axis=0)
        # As far from the other key as the query was from its own.
        off = inputs[-2] != inputs[asked, np.arange(inputs.shape[1])]
        for edit, key in zip(queries, keys, strict=True):
            edit[-2, :, : self.bits] = (inputs[key] != off)[:, : self.bits]
        return np.concatenate(
            [
                complemented(inputs, others, self.bits),
                where_possible(inputs, moved, (ends == asked).any(axis=1)),
                queries,
            ]
        )

    def chance(self, length: int) -> Chance:
        """Every bit of the answer is a fair coin."""
        return Chance.of_fair_bits(self.bits)

    def demand(self, length: int) -> int:
        """One for each pair."""
        return self.pairs_at(length)

    def _asked(self, inputs: FloatArray) -> Integers:
        """The step ``[B]`` of the key that is asked for."""
        keys = np.flatnonzero(inputs[:, 0, self.bits])
        vectors = inputs[:, :, : self.bits].astype(np.uint8)
        step: Integers = keys[_nearest(vectors[keys], vectors[-2])]
        return step


def complemented(inputs: FloatArray, steps: Integers, bits: int) -> FloatArray:
    """Edits ``[len(steps), T, B, in]``: the vector of each of these steps by itself, inverted."""
    edits = np.repeat(inputs[np.newaxis], len(steps), axis=0)
    each = np.arange(len(steps))
    edits[each, steps, :, :bits] = 1 - inputs[steps, :, :bits]
    return edits


def _vote(count: int) -> float:
    """The share of the errors on a fair bit that the vote of it and others, ``count``, saves."""
    others = count - 1
    return math.comb(others, others // 2) / float(2**others)


def _nearest(keys: BitArray, query: BitArray) -> Integers:
    """Which key ``[B]`` of ``[pairs, B, bits]`` differs least from the query; the first of such."""
    nearest: Integers = (keys != query).sum(axis=2).argmin(axis=0)
    return nearest

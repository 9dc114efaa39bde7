"""What the tasks share that show pairs of a key and a value, and then ask for all keys."""

from __future__ import annotations

import math
from abc import abstractmethod
from itertools import permutations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, one_hot, silence, symbols_of
from ntmbench.data.vocabulary import letters, numbered
from ntmbench.data.votes import saved_by_votes
from ntmbench.task import Batch, FloatArray, Shortcuts


class Lookup(SymbolTask):
    """Show K pairs of a key and a value, and answer each of the K keys, in any order.

    A key is ``parts`` symbols in a row, a value is one. A subclass says how many different symbols
    keys have.
    """

    values: int
    max_length: int

    family = "associate"
    axis = "pairs"
    #: Symbols of which a key is made.
    parts: ClassVar[int] = 1

    @property
    @abstractmethod
    def key_symbols(self) -> int:
        """The number of different symbols in keys."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols of keys, and the values."""
        return letters(self.key_symbols) + self.output_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """The values."""
        return numbered("", self.values)

    @property
    def longest_length(self) -> int:
        """As far as there are keys."""
        return int(self.key_symbols**self.parts)

    @property
    def shortcuts(self) -> Shortcuts:
        """One of the values answers, and the last input before the queries is one of them."""
        vote = saved_by_votes(self.max_length, self.values)
        return Shortcuts(last=1 / self.max_length, bag=vote, linear=vote)

    def collision_entropy(self, length: int) -> float:
        """Keys in their order, values, and the order of the queries are equally likely."""
        orders = math.perm(self.longest_length, length) * math.factorial(length)
        return math.log2(orders) + length * math.log2(self.values)

    @property
    def sources_that_matter(self) -> float:
        """All; but the key of a single pair and its query cannot differ."""
        return 1.0 if self.max_length > 1 else 1 / (2 * self.parts + 1)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` pairs and the order of the queries; nothing else varies."""
        key = distinct(words, length, self.longest_length, batch_size)
        values = words.integers(0, self.values - 1, length, batch_size)
        order = distinct(words, length, length, batch_size)
        keys = np.stack(np.unravel_index(key, (self.key_symbols,) * self.parts), axis=1)
        answers = np.take_along_axis(values, order, axis=0)
        shown = self._shown(keys, values, order)
        return self.batch(shown, self._asked(answers), answer_start=(self.parts + 1) * length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look each query up among the keys, and give the value that followed it."""
        _, values, places = self._split(inputs)
        return self.answered(self._asked(np.take_along_axis(values, places, axis=0)))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query itself, the steps of its key among the pairs, and that of the value."""
        *_, places = self._split(inputs)
        pair = (self.parts + 1) * places[..., np.newaxis] + np.arange(self.parts + 1)
        query = self._query_steps(len(places))[:, np.newaxis] + 0 * places[..., np.newaxis]
        return sources_at(
            inputs,
            np.concatenate([pair, query], axis=2),
            self._query_steps(len(places))[:, -1],
        )

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other values, and two keys exchanged, among the pairs or among the queries.

        Before that, the second of the two pairs gets another value than the first, and a key that
        differs from the first one in all its parts, so that the exchange changes what it can.
        """
        keys, values, places = self._split(inputs)
        edits, possible = [], []
        for one, other in permutations(range(len(keys)), 2):
            apart = (keys[one] != keys[other]).all(axis=0)
            key = np.where(apart, keys[other], (keys[one] + 1) % self.key_symbols)
            changed_keys, changed_values = keys.copy(), values.copy()
            changed_keys[other], changed_values[other] = key, (values[one] + 1) % self.values
            exchange = np.arange(len(keys))
            exchange[[one, other]] = other, one
            for moved in (changed_keys, changed_keys[exchange]):  # the queries, or the pairs
                edits.append(self._shown(moved, changed_values, exchange[places]))
                possible.append(~_among(np.delete(keys, other, axis=0), key))
        others = other_symbols(inputs, slice(self.key_symbols, None))
        if not edits:
            return others
        exchanged = one_hot(np.stack(edits), self.input_width)
        return np.concatenate([others, where_possible(inputs, exchanged, np.stack(possible))])

    def chance(self, length: int) -> Chance:
        """Every value is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.values)

    def demand(self, length: int) -> int:
        """One for each pair."""
        return length

    def _query_steps(self, length: int) -> Integers:
        """The steps ``[K, parts]`` of the queries."""
        first = (self.parts + 1) * length
        return np.arange(first, first + self.parts * length).reshape(length, self.parts)

    def _shown(self, keys: Integers, values: Integers, places: Integers) -> Integers:
        """What is shown ``[T, B]``: keys ``[K, parts, B]`` and values, then queries by places."""
        values = self.key_symbols + values[:, np.newaxis]
        queries = np.take_along_axis(keys, places[:, np.newaxis], axis=0)
        blocks = np.concatenate([keys, values], axis=1), queries
        return np.concatenate([block.reshape(-1, block.shape[2]) for block in blocks])

    def _asked(self, answers: Integers) -> Integers:
        """What is asked ``[T, B]``: the answers ``[K, B]`` at the last step of each query."""
        length, batch_size = answers.shape
        asked = silence((2 * self.parts + 1) * length, batch_size)
        asked[self._query_steps(length)[:, -1]] = answers
        return asked

    def _split(self, inputs: FloatArray) -> tuple[Integers, Integers, Integers]:
        """Keys ``[K, parts, B]``, values ``[K, B]``, and which pair ``[K, B]`` each query asks."""
        shown, batch_size = symbols_of(inputs), inputs.shape[1]
        length = len(shown) // (2 * self.parts + 1)
        pairs = shown[: (self.parts + 1) * length].reshape(length, -1, batch_size)
        queries = shown[self._query_steps(length)]  # [K, parts, B]
        keys = pairs[:, :-1]
        places = (queries[:, np.newaxis] == keys).all(axis=2).argmax(axis=1)
        return keys, pairs[:, -1] - self.key_symbols, places


def _among(keys: Integers, key: Integers) -> NDArray[np.bool_]:
    """Whether ``key [parts, B]`` is one of ``keys [K, parts, B]``, for each sequence ``[B]``."""
    found: NDArray[np.bool_] = (keys == key).all(axis=1).any(axis=0)
    return found

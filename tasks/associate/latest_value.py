"""Latest value: keys are written again and again, and the newest value of each is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import other_symbols, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, one_hot, silence, symbols_of
from ntmbench.data.vocabulary import letters, numbered
from ntmbench.data.votes import saved_by_votes
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.associate.writes import all_written, newest, other_keys


@register_task("latest_value")
@dataclass(frozen=True)
class LatestValue(SymbolTask):
    """Answer each key with the value written to it last (after Arora et al. 2023).

    ``a 2 b 1 a 0 | b a -> 1 0``: W writes of a key and a value, a symbol a step, and then every key
    once, in any order, each answered at its own step.

    There are K = ``keys`` keys, and each is written at least once: K of the W writes, uniform over
    all choices, go to the K keys in an order drawn uniformly, and each other write to a uniform
    key. Each value is uniform. The order of the queries is uniform too. Keys and values have
    channels of their own, and no sign separates writes and queries: a query is a key without a
    value. T = 2W + K, the answer starts at step 2W, and the input is not silent during it. By
    chance 1 - 1 / ``values`` of the answers are wrong.

    In the source ("MQAR") each key has one value; a variant in its code ("forgetting MQAR",
    zoology/data/forgetting_mqar.py) gives some keys a second one, after all first ones. Here keys
    are written any number of times. Their number stays the same while writes are added, so that a
    model must forget: room for K values is enough at any length.

    Three writes to two keys (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = LatestValue(keys=2)
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        a 6 b 3 a 5 b [3] a [5]
    """

    #: Number of keys, from 1 to 4096, all of which occur in every sequence.
    keys: int = 4
    #: Number of different values, from 2 to 4096.
    values: int = 8
    #: Fewest writes in training, from ``keys``, one for each, to ``max_length``.
    min_length: int = 4
    #: Most writes in training, from ``keys`` to 100000.
    max_length: int = 12

    family = "associate"
    axis = "writes"
    version = 1
    lengths = Lengths(12, test=(6, 12, 18, 24, 48), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("keys", self.keys, fewest=1)
        check_symbols("values", self.values)
        check_length_range(self.min_length, self.max_length, shortest=self.keys)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The keys and the values."""
        return letters(self.keys) + self.output_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """The values."""
        return numbered("", self.values)

    @property
    def shortest_length(self) -> int:
        """One write for each key."""
        return self.keys

    @property
    def shortcuts(self) -> Shortcuts:
        """The value written last is the answer to one of the keys.

        A linear read-out lets the values vote; at best it knew the K newest ones.
        """
        return Shortcuts(last=1 / self.keys, linear=saved_by_votes(self.keys, self.values))

    @property
    def sources_that_matter(self) -> float:
        """Nearly all, if keys are written several times; a single key cannot be changed.

        If each is written once, no later key can be changed alone, nor the one written first.
        """
        if self.keys == 1:
            return 1 / 3
        several = self.max_length >= 2 * self.keys
        return 0.95 if several else (3 * self.keys - 1) / (self.keys * (self.keys + 5) / 2)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` writes and the order of the queries; nothing else varies."""
        keys = words.integers(0, self.keys - 1, length, batch_size)
        chosen = distinct(words, self.keys, length, batch_size)
        each = np.broadcast_to(np.arange(self.keys)[:, np.newaxis], chosen.shape)
        np.put_along_axis(keys, chosen, each, axis=0)
        values = words.integers(0, self.values - 1, length, batch_size)
        queries = distinct(words, self.keys, self.keys, batch_size)

        writes = np.stack([keys, self.keys + values], axis=1).reshape(2 * length, batch_size)
        answers = np.take_along_axis(values, newest(keys, queries), axis=0)
        shown = np.concatenate([writes, queries])
        asked = np.concatenate([silence(2 * length, batch_size), answers])
        return self.batch(shown, asked, answer_start=2 * length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The value that followed the last appearance of each queried key."""
        shown, found = symbols_of(inputs), self._places(inputs)
        values = np.take_along_axis(shown, 2 * found + 1, axis=0) - self.keys
        return self.answered(
            np.concatenate([silence(len(shown) - self.keys, values.shape[1]), values])
        )

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query itself, the last write to its key, and the keys of all writes after that.

        A later write to the same key would take its place.
        """
        found = self._places(inputs)[..., np.newaxis]  # [K, B, 1]
        keys = np.arange((len(inputs) - self.keys) // 2)
        later = np.where(keys > found, 2 * keys, -1)
        return self.shown_at(inputs) | sources_at(inputs, later)

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query itself, and the key and the value of the last write to its key."""
        found = self._places(inputs)  # [K, B]
        queries = np.arange(len(inputs) - self.keys, len(inputs))[:, np.newaxis] + 0 * found
        return sources_at(inputs, np.stack([queries, 2 * found, 2 * found + 1], axis=2))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other values, other keys, as far as each is still written, and other queries.

        Before a key or a query is changed, all values but the answer to one query become another
        value, so that the change shows in this answer.
        """
        shown, writes = symbols_of(inputs), len(inputs) - self.keys
        keys, values, queries = shown[:writes:2], shown[1:writes:2], shown[writes:]
        edited = []
        for found in self._places(inputs):
            answer = np.take_along_axis(values, found[np.newaxis], axis=0)
            another = self.keys + (answer + 1 - self.keys) % self.values
            is_answer = np.arange(len(values))[:, np.newaxis] == found
            otherwise = shown.copy()
            otherwise[1:writes:2] = np.where(is_answer, answer, another)
            for moved in other_keys(keys, self.keys):
                edited.append(otherwise.copy())
                edited[-1][:writes:2] = moved
            edited.append(otherwise)
            edited[-1][writes:] = np.roll(queries, 1, axis=0)
        other = np.stack(edited)
        possible = all_written(other[:, :writes:2], self.keys)
        return np.concatenate(
            [
                other_symbols(inputs, slice(self.keys, None)),
                where_possible(inputs, one_hot(other, self.input_width), possible),
            ]
        )

    def chance(self, length: int) -> Chance:
        """Every value is as likely as any other."""
        return Chance.of_uniform_symbols(self.keys, self.values)

    def demand(self, length: int) -> int:
        """One for each key."""
        return self.keys

    def _places(self, inputs: FloatArray) -> Integers:
        """The write ``[K, B]`` that holds the answer to each query."""
        shown = symbols_of(inputs)
        writes = len(shown) - self.keys
        places: Integers = newest(shown[:writes:2], shown[writes:])
        return places

"""Latest value: keys are written again and again, and the newest value of each is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import exchanged_steps, other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, check_symbols, silence, symbols_of
from ntmbench.data.vocabulary import letters, numbered
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.associate.votes import saved_by_votes


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
    value. T = 2W + K, the answer starts at step 2W, and the input is not silent during it.

    In the source ("MQAR") each key has one value; a variant in its code ("forgetting MQAR") gives
    some keys a second one, after all first ones. Here keys are written any number of times. Their
    number stays the same while writes are added, so that a model must forget: room for K values is
    enough at any length.

    Three writes to two keys (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = LatestValue(keys=2)
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        a 6 b 3 a 5 b [3] a [5]
    """

    #: Number of keys, all of which occur in every sequence.
    keys: int = 4
    #: Number of different values.
    values: int = 8
    #: Fewest writes in training, at least one for each key.
    min_length: int = 4
    #: Most writes in training.
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

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` writes and the order of the queries; nothing else varies."""
        keys = words.integers(0, self.keys - 1, length, batch_size)
        chosen = distinct(words, self.keys, length, batch_size)
        each = np.broadcast_to(np.arange(self.keys)[:, np.newaxis], chosen.shape)
        np.put_along_axis(keys, chosen, each, axis=0)
        values = words.integers(0, self.values - 1, length, batch_size)
        queries = distinct(words, self.keys, self.keys, batch_size)

        writes = np.stack([keys, self.keys + values], axis=1).reshape(2 * length, batch_size)
        answers = np.take_along_axis(values, _newest(keys, queries), axis=0)
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
        """The query itself, and the key and the value of the last write to its key."""
        found = self._places(inputs)  # [K, B]
        queries = np.arange(len(inputs) - self.keys, len(inputs))[:, np.newaxis] + 0 * found
        return sources_at(inputs, np.stack([queries, 2 * found, 2 * found + 1], axis=2))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other values, queries exchanged, and the keys of two last writes exchanged."""
        writes = len(inputs) - self.keys
        sequence = np.arange(inputs.shape[1])
        steps = 2 * self._places(inputs)
        exchanged = [inputs]
        for pair in combinations(range(self.keys), 2):
            edited = inputs.copy()
            edited[steps[[*pair]], sequence] = inputs[steps[[*reversed(pair)]], sequence]
            exchanged.append(edited)
        return np.concatenate(
            [
                other_symbols(inputs, slice(self.keys, None)),
                exchanged_steps(inputs, range(writes, len(inputs))),
                np.stack(exchanged),
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
        return _newest(shown[:writes:2], shown[writes:])


def _newest(keys: Integers, queries: Integers) -> Integers:
    """The last place ``[K, B]`` of each of the ``queries [K, B]`` among the ``keys [W, B]``."""
    same = queries[:, np.newaxis] == keys[::-1]
    newest: Integers = len(keys) - 1 - same.argmax(axis=1)
    return newest

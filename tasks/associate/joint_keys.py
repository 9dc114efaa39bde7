"""Joint keys: look up keys of two symbols, neither of which is enough by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers, distinct
from ntmbench.data.edits import other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, symbols_of
from ntmbench.data.vocabulary import letters, numbered
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.associate.votes import saved_by_votes

#: Symbols of which a key is made.
PARTS = 2
#: Most symbols, so that a uniform number for each key stays cheap to draw.
MOST_SYMBOLS = 32


@register_task("joint_keys")
@dataclass(frozen=True)
class JointKeys(SymbolTask):
    """Answer each of K keys of two symbols with its value (after Arora et al. 2023).

    ``a b 2 b a 1 a a 2 | b a a a a b -> 1 2 2``: K pairs of a key and a value, a symbol a step, and
    then all K keys in any order, each answered at the step of its second symbol.

    A key is two of S = ``symbols`` symbols in a row, so that there are S x S keys, and their order
    matters: a b and b a are two keys. The keys of a sequence are distinct, drawn uniformly from all
    of them; each value is uniform over all values. The queries are the keys in an order drawn
    uniformly. The values have channels of their own. T = 3K + 2K = 5K, the answer starts at step
    3K, and the input is not silent during it.

    In the source ("MQAR") a key is one symbol; a variant in its code ("compositional MQAR") has all
    pairs of two small sets, each of which stands in a place of its own. Here both symbols are of
    one set, and the pairs are any. They must be bound together, since one symbol alone leaves
    several keys open. There are few sequences of one pair (128 at the default sizes), so
    that those of the tests occur in training too.

    Two pairs (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = JointKeys()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        a b 1 a a 5 a a [5] a b [1]
    """

    #: Number of different symbols in keys; no sequence can have more pairs than its square.
    symbols: int = 4
    #: Number of different values.
    values: int = 8
    #: Fewest pairs in training.
    min_length: int = 1
    #: Most pairs in training.
    max_length: int = 4

    family = "associate"
    axis = "pairs"
    version = 1
    lengths = Lengths(4, test=(2, 4, 8, 16), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols, most=MOST_SYMBOLS)
        check_symbols("values", self.values)
        check_range("task.max_length", self.max_length, 1, self.keys)
        check_length_range(self.min_length, self.max_length)

    @property
    def keys(self) -> int:
        """The number of different keys."""
        return self.symbols * self.symbols

    @property
    def input_names(self) -> tuple[str, ...]:
        """The symbols of keys, and the values."""
        return letters(self.symbols) + self.output_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """The values."""
        return numbered("", self.values)

    @property
    def longest_length(self) -> int:
        """As far as there are keys."""
        return self.keys

    @property
    def shortcuts(self) -> Shortcuts:
        """One of the values answers, and the last input before the queries is one of them."""
        pairs = self.max_length
        return Shortcuts(last=1 / pairs, linear=saved_by_votes(pairs, self.values))

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` pairs and the order of the queries; nothing else varies."""
        key = distinct(words, length, self.keys, batch_size)
        value = words.integers(0, self.values - 1, length, batch_size)
        order = distinct(words, length, length, batch_size)
        asked_key, answer = (np.take_along_axis(of, order, axis=0) for of in (key, value))
        pairs = [*divmod(key, self.symbols), self.symbols + value]
        nothing = np.full_like(answer, SILENT)
        shown = [pairs, [*divmod(asked_key, self.symbols)]]
        asked = [[nothing] * len(pairs), [nothing, answer]]
        return self.batch(_in_turn(shown), _in_turn(asked), answer_start=len(pairs) * length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look each query up among the keys, and give the value that followed it."""
        found = self._places(inputs)
        steps = (PARTS + 1) * found + PARTS
        values = np.take_along_axis(symbols_of(inputs), steps, axis=0) - self.symbols
        nothing = np.full_like(values, SILENT)
        return self.answered(_in_turn([[nothing] * (PARTS + 1), [nothing, values]]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Both symbols of the query, those of its key among the pairs, and the value."""
        found = self._places(inputs)  # [K, B]
        pair = (PARTS + 1) * found
        query = (self._queries_start(inputs) + PARTS * np.arange(len(found)))[
            :, np.newaxis
        ] + 0 * found
        parts = [pair, pair + 1, pair + 2, query, query + 1]
        return sources_at(inputs, np.stack(parts, axis=2), query[:, 0] + 1)

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other values, and two keys exchanged, among the pairs or among the queries."""
        queries = self._queries_start(inputs)
        return np.concatenate(
            [
                other_symbols(inputs, slice(self.symbols, None)),
                _exchanged_keys(inputs, np.arange(0, queries, PARTS + 1)),
                _exchanged_keys(inputs, np.arange(queries, len(inputs), PARTS)),
            ]
        )

    def chance(self, length: int) -> Chance:
        """Every value is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.values)

    def demand(self, length: int) -> int:
        """One for each pair."""
        return length

    def _queries_start(self, inputs: FloatArray) -> int:
        """The step of the first query."""
        return len(inputs) * (PARTS + 1) // (2 * PARTS + 1)

    def _places(self, inputs: FloatArray) -> Integers:
        """Which pair ``[K, B]`` each query asks for."""
        shown, start = symbols_of(inputs), self._queries_start(inputs)
        keys = shown[: start : PARTS + 1] * self.symbols + shown[1 : start : PARTS + 1]
        queries = shown[start::PARTS] * self.symbols + shown[start + 1 :: PARTS]
        places: Integers = (queries[:, np.newaxis] == keys).argmax(axis=1)
        return places


def _in_turn(blocks: list[list[Integers]]) -> Integers:
    """Blocks one after the other; in each of them, the rows ``[K, B]`` of its arrays in turn."""
    return np.concatenate(
        [np.stack(arrays, axis=1).reshape(-1, arrays[0].shape[1]) for arrays in blocks]
    )


def _exchanged_keys(inputs: FloatArray, starts: Integers) -> FloatArray:
    """Each two of the keys that begin at the steps ``starts`` exchanged."""
    first, second = np.triu_indices(len(starts), 1)
    edits = np.repeat(inputs[np.newaxis], len(first), axis=0)
    each = np.arange(len(first))
    for part in range(PARTS):
        edits[each, starts[first] + part] = inputs[starts[second] + part]
        edits[each, starts[second] + part] = inputs[starts[first] + part]
    return edits

"""Key-value recall: look up several keys, each answered at the step on which it is asked."""

from __future__ import annotations

from dataclasses import dataclass

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
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts


@register_task("key_value")
@dataclass(frozen=True)
class KeyValue(SymbolTask):
    """Answer each of K keys with its value: multi-query associative recall (Arora et al. 2023).

    ``a 2 b 1 c 2 | b a c -> 1 2 2``: K pairs of a key and a value, a symbol a step, and then all K
    keys in any order, each answered at its own step.

    Keys and values are one-hot symbols on channels of their own. The keys of a sequence are
    distinct, drawn uniformly; each value is uniform over all values, and so may come twice. The
    queries are the keys in an order drawn uniformly. T = 3K, and the answer starts at step 2K. The
    input is not silent during the answer, so that a decoder must see it.

    The source (section 4, definition 3.1, "MQAR") draws keys and values from one vocabulary, asks
    for only some of the keys, at distances drawn from a power law, and pads between them. Here all
    keys are asked for, one after the other. There are few sequences of one pair and of two (128
    and 30,720 at the default sizes), so that those of the tests occur in training too.

    Two pairs (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = KeyValue()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        f 4 k 6 f [4] k [6]
    """

    #: Number of different keys; no sequence can have more pairs.
    keys: int = 16
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
        check_symbols("keys", self.keys, fewest=1)
        check_symbols("values", self.values)
        check_range("task.max_length", self.max_length, 1, self.keys)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The keys and the values."""
        return letters(self.keys) + self.output_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """The values."""
        return numbered("", self.values)

    @property
    def longest_length(self) -> int:
        """As far as there are keys."""
        return self.keys

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` pairs and the order of the queries; nothing else varies."""
        key = distinct(words, length, self.keys, batch_size)
        value = words.integers(0, self.values - 1, length, batch_size)
        order = distinct(words, length, length, batch_size)
        pairs = np.stack([key, self.keys + value], axis=1).reshape(2 * length, batch_size)
        queries, answers = (np.take_along_axis(of, order, axis=0) for of in (key, value))
        shown = np.concatenate([pairs, queries])
        asked = np.concatenate([silence(2 * length, batch_size), answers])
        return self.batch(shown, asked, answer_start=2 * length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look each query up among the keys, and give the value that followed it."""
        shown, places = symbols_of(inputs), self._places(inputs)
        values = np.take_along_axis(shown, 2 * places + 1, axis=0) - self.keys
        return self.answered(np.concatenate([silence(2 * len(places), shown.shape[1]), values]))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query itself, the step of its key among the pairs, and that of the value."""
        places = self._places(inputs)  # [K, B]
        queries = np.arange(2 * len(places), len(inputs))[:, np.newaxis] + 0 * places
        return sources_at(inputs, np.stack([queries, 2 * places, 2 * places + 1], axis=2))

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other values, and two keys exchanged, among the pairs or among the queries."""
        pairs = 2 * (len(inputs) // 3)
        return np.concatenate(
            [
                other_symbols(inputs, slice(self.keys, None)),
                exchanged_steps(inputs, range(0, pairs, 2)),
                exchanged_steps(inputs, range(pairs, len(inputs))),
            ]
        )

    @property
    def shortcuts(self) -> Shortcuts:
        """One of the values answers, and the last input before the queries is one of them."""
        return Shortcuts(last=1 / self.max_length, linear=1 / self.max_length)

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the value."""
        return sources_at(inputs, 2 * self._places(inputs) + 1)

    def chance(self, length: int) -> Chance:
        """Every value is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.values)

    def demand(self, length: int) -> int:
        """One for each pair."""
        return length

    def _places(self, inputs: FloatArray) -> Integers:
        """Which pair ``[K, B]`` each query asks for."""
        shown = symbols_of(inputs)
        length = len(shown) // 3
        keys, queries = shown[: 2 * length : 2], shown[2 * length :]
        places: Integers = (queries[:, np.newaxis] == keys).argmax(axis=1)
        return places

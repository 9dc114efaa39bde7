"""Key-value recall: look up several keys, each answered at the step on which it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance, Symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Task

# Larger numbers are taken for typing errors.
MAX_SYMBOLS = 4096


@register_task("key_value")
@dataclass(frozen=True)
class KeyValue(Task):
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

    Two pairs, of three keys and two values (inputs: keys, values | targets; dots are not scored)::

        >>> from ntmbench.data.text import as_text
        >>> task = KeyValue(keys=3, values=2, max_length=2)
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        0 0 1 0 0 | . .
        0 0 0 1 0 | . .
        1 0 0 0 0 | . .
        0 0 0 1 0 | . .
        0 0 1 0 0 | 1 0
        1 0 0 0 0 | 1 0
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
    version = 1
    lengths = Lengths(4, test=(2, 4, 8, 16), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.keys", self.keys, 1, MAX_SYMBOLS)
        check_range("task.values", self.values, 2, MAX_SYMBOLS)
        check_range("task.max_length", self.max_length, 1, self.keys)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_width(self) -> int:
        """The keys and the values."""
        return self.keys + self.values

    @property
    def answer(self) -> Symbols:
        """The values."""
        return Symbols(self.values)

    @property
    def selection_lengths(self) -> tuple[int, ...]:
        """The training range's end and half as much again, as far as there are keys."""
        return self._possible(super().selection_lengths)

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """Half the training range to four times that, as far as there are keys."""
        return self._possible(super().test_lengths)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw ``length`` pairs and the order of the queries; nothing else varies."""
        check_range("length", length, 1, self.keys)
        key = words.uniform(self.keys, batch_size).argsort(axis=0, kind="stable")[:length]  # [K, B]
        value = words.integers(0, self.values - 1, length, batch_size)
        order = words.uniform(length, batch_size).argsort(axis=0, kind="stable")
        inputs = np.zeros((3 * length, batch_size, self.input_width), np.float32)
        _raise(inputs[0 : 2 * length : 2], key)
        _raise(inputs[1 : 2 * length : 2], self.keys + value)
        _raise(inputs[2 * length :], np.take_along_axis(key, order, axis=0))
        targets = np.zeros((3 * length, batch_size, self.values), np.float32)
        _raise(targets[2 * length :], np.take_along_axis(value, order, axis=0))
        mask = np.zeros((3 * length, batch_size), np.float32)
        mask[2 * length :] = 1
        return Batch(inputs, targets, mask, answer_start=2 * length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Look each query up among the keys, and give the value that followed it."""
        length = len(inputs) // 3
        places = self._places(inputs)  # [K, B]
        solved = np.zeros((*inputs.shape[:2], self.values), np.float32)
        values = inputs[1 : 2 * length : 2, :, self.keys :]  # [K, B, values]
        solved[2 * length :] = np.take_along_axis(values, places[:, :, np.newaxis], axis=0)
        return solved

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The query itself, the step of its key among the pairs, and that of the value."""
        steps, batch_size, _ = inputs.shape
        length = steps // 3
        of = np.zeros((steps, batch_size, steps), bool)
        at = np.arange(2 * length, steps)[:, np.newaxis]  # [K, 1]
        sequence = np.arange(batch_size)
        places = self._places(inputs)
        for step in (at, 2 * places, 2 * places + 1):
            of[at, sequence, step] = True
        return of

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the value."""
        return sources_at(inputs, 2 * self._places(inputs) + 1)

    def chance(self, length: int) -> Chance:
        """Every value is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.values)

    def demand(self, length: int) -> int:
        """One for each pair."""
        return length

    def _possible(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted({min(length, self.keys) for length in lengths}))

    def _places(self, inputs: FloatArray) -> NDArray[np.int64]:
        """Which pair ``[K, B]`` each query asks for."""
        length = len(inputs) // 3
        shown = inputs[0 : 2 * length : 2, :, : self.keys].argmax(axis=2)  # [K, B]
        asked = inputs[2 * length :, :, : self.keys].argmax(axis=2)
        places: NDArray[np.int64] = (asked[:, np.newaxis] == shown[np.newaxis]).argmax(axis=1)
        return places


def _raise(channels: FloatArray, symbol: NDArray[np.int64]) -> None:
    """Set the channel of each symbol ``[K, B]`` in ``channels [K, B, width]`` to 1, in place."""
    np.put_along_axis(channels, symbol[:, :, np.newaxis], 1, axis=2)

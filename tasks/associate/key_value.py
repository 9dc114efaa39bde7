"""Key-value recall: look up several keys, each answered at the step on which it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.symbols import check_symbols
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import FloatArray
from ntmbench.tasks.associate.lookup import Lookup


@register_task("key_value")
@dataclass(frozen=True)
class KeyValue(Lookup):
    """Answer each of K keys with its value: multi-query associative recall (Arora et al. 2023).

    ``a 2 b 1 c 2 | b a c -> 1 2 2``: K pairs of a key and a value, a symbol a step, and then all K
    keys in any order, each answered at its own step.

    Keys and values are one-hot symbols on channels of their own. The keys of a sequence are
    distinct, drawn uniformly; each value is uniform over all values, and so may come twice. The
    queries are the keys in an order drawn uniformly. T = 3K, and the answer starts at step 2K. The
    input is not silent during the answer, so that a decoder must see it. By chance 1 - 1 /
    ``values`` of the answers are wrong.

    The source ("MQAR", zoology/data/multiquery_ar.py in its code) draws keys and values from one
    vocabulary, asks for keys at distances drawn from a power law, and pads between them. Here all
    keys are asked for, one after the other. There are few sequences of one pair and of two (128
    and 30,720 at the default sizes), so that those of the tests occur in training too.

    Two pairs (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = KeyValue()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        f 4 k 6 f [4] k [6]
    """

    #: Number of different keys, from 1 to 4096; no sequence can have more pairs.
    keys: int = 16
    #: Number of different values, from 2 to 4096.
    values: int = 8
    #: Fewest pairs in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most pairs in training, from 1 to ``keys``.
    max_length: int = 4

    version = 1
    lengths = Lengths(4, test=(2, 4, 8, 16), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("keys", self.keys, fewest=1)
        check_symbols("values", self.values)
        check_range("task.max_length", self.max_length, 1, self.keys)
        check_length_range(self.min_length, self.max_length)

    @property
    def key_symbols(self) -> int:
        """A symbol for each key."""
        return self.keys

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The step of the value."""
        *_, places = self._split(inputs)
        return sources_at(inputs, 2 * places + 1)

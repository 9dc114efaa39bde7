"""Joint keys: look up keys of two symbols, neither of which is enough by itself."""

from __future__ import annotations

from dataclasses import dataclass

from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.symbols import check_symbols
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.tasks.associate.lookup import Lookup

#: Most symbols, so that a uniform number for each key stays cheap to draw.
MOST_SYMBOLS = 32


@register_task("joint_keys")
@dataclass(frozen=True)
class JointKeys(Lookup):
    """Answer each of K keys of two symbols with its value (after Arora et al. 2023).

    ``a b 2 b a 1 a a 2 | b a a a a b -> 1 2 2``: K pairs of a key and a value, a symbol a step, and
    then all K keys in any order, each answered at the step of its second symbol.

    A key is two of S = ``symbols`` symbols in a row, so that there are S x S keys, and their order
    matters: a b and b a are two keys. The keys of a sequence are distinct, drawn uniformly from all
    of them; each value is uniform over all values. The queries are the keys in an order drawn
    uniformly. The values have channels of their own. T = 3K + 2K = 5K, the answer starts at step
    3K, and the input is not silent during it. By chance 1 - 1 / ``values`` of the answers are
    wrong. There are few sequences of one pair and of two (128 and 30,720 at the default sizes), so
    that those of the tests occur in training too.

    In the source ("MQAR") a key is one symbol; a variant in its code ("compositional MQAR",
    zoology/data/compositional_ar.py) has all pairs of two small sets, each of which stands in a
    place of its own. Here both symbols are of one set, and the pairs are any. They must be bound
    together, since one symbol alone leaves several keys open.

    No model of the gallery solves it with its budget: the best, ``ntm``, makes 23 % of the errors
    of chance.

    Two pairs (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = JointKeys()
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        a b 1 a a 5 a a [5] a b [1]
    """

    #: Number of different symbols in keys, from 2 to 32; no sequence can have more pairs than its
    #: square.
    symbols: int = 4
    #: Number of different values, from 2 to 4096.
    values: int = 8
    #: Fewest pairs in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most pairs in training, from 1 to the square of ``symbols``.
    max_length: int = 4

    parts = 2
    version = 1
    lengths = Lengths(4, test=(2, 4, 8, 16), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("symbols", self.symbols, most=MOST_SYMBOLS)
        check_symbols("values", self.values)
        check_range("task.max_length", self.max_length, 1, self.longest_length)
        check_length_range(self.min_length, self.max_length)

    @property
    def key_symbols(self) -> int:
        """The symbols that a key may have in either place."""
        return self.symbols

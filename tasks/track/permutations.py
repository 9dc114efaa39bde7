"""Permutations: the product of group elements so far, the word problem."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SymbolTask, symbols_of
from ntmbench.errors import check_choice
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.track.tracking import follow

#: How many things the permutations of each group move, and whether only the even ones are in it.
GROUPS = {"s3": (3, False), "a5": (5, True), "s5": (5, False)}


@register_task("permutations")
@dataclass(frozen=True)
class Permutations(SymbolTask):
    """Name the product of all permutations so far, at every step (Merrill et al. 2024).

    ``213 132 213 -> 213 312 321``: the word problem of a group.

    A permutation is written as what 1, 2, 3 become: 213 exchanges 1 and 2. In a product the one
    that was shown first is applied first: 1 becomes 2 by 213, and then 3 by 132, so that the
    product begins with 3. The permutations shown are one-hot symbols, each uniform over the group,
    and every product is asked for at the step of its last factor. T = L. Input and answer run side
    by side. By chance 1 - 1 / n of the answers are wrong in a group of n elements.

    The source (src/generate_data.py in its code, "word-problem") asks for the same, at one length
    at a time.

    Groups: S3, all 6 permutations of three things; A5, the 60 even ones of five, the smallest
    group whose word problem is complete for NC1; S5, all 120 of five. There are 6 sequences of one
    element of S3 and 36 of two, so that those of the tests occur in training too.

    Three elements (the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Permutations()
        >>> print(as_words(task, task.test_set(length=3, sequences=1)))
        213 [213] 123 [213] 213 [123]
    """

    #: The group: s3, a5 or s5.
    group: str = "s3"
    #: Fewest elements in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most elements in training, from 1 to 100000.
    max_length: int = 20

    family = "track"
    axis = "elements"
    version = 1
    lengths = Lengths(20, test=(10, 20, 40, 80, 200), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_choice("task.group", self.group, tuple(GROUPS))
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The elements of the group."""
        return tuple("".join(str(image + 1) for image in each) for each in _elements(self.group))

    @property
    def output_names(self) -> tuple[str, ...]:
        """The elements of the group."""
        return self.input_names

    @property
    def has_input_phase(self) -> bool:
        """Input and answer run side by side."""
        return False

    @property
    def shortcuts(self) -> Shortcuts:
        """The first element is its own product; later products are uniform whatever is shown."""
        itself = 1 / self.max_length
        return Shortcuts(current=itself, first=itself, linear=itself)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw an element for each step; nothing else varies."""
        shown = words.integers(0, self.input_width - 1, length, batch_size)
        return self.batch(shown, self._products(shown), answer_start=0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Multiply one element after the other."""
        return self.answered(self._products(symbols_of(inputs)))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """Every element so far."""
        steps, batch_size, _ = inputs.shape
        so_far = np.tri(steps, dtype=bool)[:, np.newaxis]
        return np.broadcast_to(so_far, (steps, batch_size, steps)).copy()

    def chance(self, length: int) -> Chance:
        """Every product is as likely as any other."""
        return Chance.of_uniform_symbols(length, self.input_width)

    def demand(self, length: int) -> int:
        """One: the product so far."""
        return 1

    def _products(self, shown: Integers) -> Integers:
        """The product after each element; element 0 changes nothing."""
        products: Integers = follow(_table(self.group), shown)
        return products


@cache
def _elements(group: str) -> tuple[tuple[int, ...], ...]:
    """The permutations in the order of the dictionary, so that the first one changes nothing."""
    moved, only_even = GROUPS[group]
    return tuple(
        each for each in permutations(range(moved)) if not only_even or _inversions(each) % 2 == 0
    )


def _inversions(permutation: tuple[int, ...]) -> int:
    """The number of pairs that are in falling order."""
    return sum(
        earlier > later
        for place, later in enumerate(permutation)
        for earlier in permutation[:place]
    )


@cache
def _table(group: str) -> Integers:
    """The product of each element with each next one, ``[elements, elements]``."""
    elements = _elements(group)
    number = {element: place for place, element in enumerate(elements)}
    return np.array(
        [[number[tuple(then[image] for image in first)] for then in elements] for first in elements]
    )

"""Task and Batch: the contract between data and models.

A task is a frozen dataclass whose fields are its settings. It draws batches from a stream, solves
their inputs with an oracle, and knows what the best constant answer scores.

All sequences of a batch have T steps. Most tasks draw one length for a whole batch, so that no
arithmetic is spent on padding. Others pad with silence, which the mask leaves out.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Answer, Chance
from ntmbench.data.edits import replaced_steps
from ntmbench.data.lengths import MAX_LENGTH, Lengths
from ntmbench.data.randomness import RandomWords, Stream, stable_id
from ntmbench.errors import check_range

FloatArray = NDArray[np.float32]

# Validation and test sets are drawn in blocks with a key each, so that a longer set begins with
# the shorter one. Changing either number changes the data.
VALIDATION_BLOCK = 32
TEST_BLOCK = 64


@dataclass(frozen=True)
class Batch:
    """B sequences of T steps, time-major, float32.

    Attributes:
        inputs: ``[T, B, input_width]``.
        targets: ``[T, B, output_width]``, each 0 or 1, or a number where the answer is real; zero
            where nothing is asked.
        mask: ``[T, B]``, 1 where the answer is scored and 0 elsewhere.
        answer_start: the first step of the answer; everything before it is the input phase.
            0 where input and answer run side by side (n-grams).
    """

    inputs: FloatArray
    targets: FloatArray
    mask: FloatArray
    answer_start: int

    @property
    def size(self) -> int:
        """The number of sequences, B."""
        return int(self.inputs.shape[1])

    def __getitem__(self, sequences: slice) -> Batch:
        """The batch of a slice of the sequences."""
        return Batch(
            self.inputs[:, sequences],
            self.targets[:, sequences],
            self.mask[:, sequences],
            self.answer_start,
        )


def concatenate(batches: list[Batch]) -> Batch:
    """Join batches of equal length along their sequences."""
    return Batch(
        np.concatenate([batch.inputs for batch in batches], axis=1),
        np.concatenate([batch.targets for batch in batches], axis=1),
        np.concatenate([batch.mask for batch in batches], axis=1),
        batches[0].answer_start,
    )


@dataclass(frozen=True)
class Variation:
    """A test beyond the grid of lengths.

    Attributes:
        task: the task to test on, of the same widths as the task that names it.
        length: the length to test at.
    """

    task: Task
    length: int


@dataclass(frozen=True)
class Shortcuts:
    """How far a task can be answered without doing what it asks, at the longest training length.

    Each is the share of the best constant answer's errors that a shortcut saves at most: 0 for none
    of them, 1 for all. The conformance kit measures them, and what a task does not declare is a
    leak.

    Attributes:
        place: knowing only which step is answered.
        current: a network without memory on the step's own input.
        first: such a network on the first input of the sequence.
        last: such a network on the last input before the answer starts, if there is one.
        bag: a linear read-out of the sum of all inputs up to the step, whatever their order, of the
            step's own input, and of the last one before the answer starts.
        linear: a linear read-out of all inputs up to the step, one for each step of this length.
    """

    place: float = 0.0
    current: float = 0.0
    first: float = 0.0
    last: float = 0.0
    bag: float = 0.0
    linear: float = 0.0


class Task(ABC):
    """An algorithmic memory task: a frozen dataclass whose fields are its settings.

    ``length`` below is whatever the task counts as its difficulty: vectors, items, bits (``axis``).

    A task with the fields ``min_length`` and ``max_length`` states in ``lengths`` where weights are
    selected and tested. Any other task defines the properties that follow from them itself.
    """

    name: ClassVar[str]
    #: The family that it belongs to: one of the suite's thirteen, or a third party's own word.
    family: ClassVar[str] = ""
    #: What a length counts, in the plural.
    axis: ClassVar[str] = "steps"
    #: Changes whenever the same settings and keys give other data; it is part of a run's identity.
    version: ClassVar[int]
    #: Lengths at which weights are selected and tested, as shares of the longest training length.
    lengths: ClassVar[Lengths | None] = None
    #: Whether the input fixes the answer. Where it does not, errors cannot reach zero, and weights
    #: are selected by their loss.
    deterministic: ClassVar[bool] = True
    #: Whether sequences repeat within a test set, and between training and tests, beyond the
    #: shortest lengths too, since there are few of them. The docstring then says how many.
    few_sequences: ClassVar[bool] = False
    #: The input steps of each sentence, for a task of sentences in words; 0 if a full stop or a
    #: delimiter ends each. ``as_sentences`` then writes a line for each.
    sentence_steps: ClassVar[int | None] = None

    @property
    @abstractmethod
    def input_width(self) -> int:
        """Channels of the input."""

    @property
    @abstractmethod
    def answer(self) -> Answer:
        """How the output channels are read."""

    @property
    def output_width(self) -> int:
        """Channels of the answer."""
        return self.answer.channels

    @property
    def input_names(self) -> tuple[str, ...]:
        """What the input's channels are called; empty where numbers say enough."""
        return ()

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the answer's channels are called; empty where numbers say enough."""
        return ()

    @property
    def shortcuts(self) -> Shortcuts:
        """How far the task can be answered by its nature without doing what it asks."""
        return Shortcuts()

    @property
    def needs_memory(self) -> bool:
        """Whether the current input alone says nothing of its answer."""
        return self.shortcuts.current == 0

    @property
    def sources_that_matter(self) -> float:
        """The share of ``sources`` that change their answer when they alone change, at least.

        It is below 1 where one part of an answer hides another, such as a product with zero, or
        where a step cannot change without others, such as the only key and its query.
        """
        return 1.0

    @property
    def shortest_length(self) -> int:
        """The least length at which there is anything to answer."""
        return 1

    @property
    def longest_length(self) -> int:
        """The greatest length for which there is material, such as different names."""
        return MAX_LENGTH

    @property
    def length_range(self) -> tuple[int, int]:
        """The shortest and the longest training length, both included."""
        settings: Any = self
        return settings.min_length, settings.max_length

    @property
    def selection_lengths(self) -> tuple[int, ...]:
        """Lengths at which weights are selected (validation data), from the end of training on.

        Those within it count as training.
        """
        return self._possible(self._stated_lengths.selected(self.length_range[1]))

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """The default test grid: the training range's end and well beyond it."""
        return self._possible(self._stated_lengths.tested(*self.length_range))

    @property
    def variations(self) -> Mapping[str, Variation]:
        """Tests beyond the grid, each under a short name that says what is varied."""
        return {}

    @property
    def has_input_phase(self) -> bool:
        """Whether the whole input is seen before the answer begins."""
        return True

    @abstractmethod
    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw a batch of one length from a stream.

        With ``test``, whatever varies in training beside the length (the number of repeats, say)
        has its hardest value, so that all sequences of a test set are of one kind.
        """

    @abstractmethod
    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Solve ``inputs [T, B, input_width]`` without seeing targets.

        Returns ``[T, B, output_width]``: the probability that each bit is 1 or that each symbol is
        the answer, or the real numbers asked for. They are exact where the task is deterministic.
        Steps that are not scored may hold anything.
        """

    @abstractmethod
    def chance(self, length: int) -> Chance:
        """What the best constant answer scores on test sequences of this length."""

    @abstractmethod
    def demand(self, length: int) -> int:
        """The items that a straightforward solution keeps at this length, one in each slot."""

    def collision_entropy(self, length: int) -> float:
        """The bits H by which sequences of a length differ: two are alike with probability 2^-H.

        A test sequence is then among n training sequences of its length with a probability of at
        most 1 - (1 - 2^-H)^n, which the conformance kit tests. By default it is infinite: there are
        too many sequences for any to come again.
        """
        return math.inf

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_] | None:
        """The input steps that each answer is made of, ``[T, B, T]``, for inputs ``[T, B, in]``.

        True at ``[t, b, s]`` if step s of sequence b holds a part of what answers step t: another
        content of s gives another answer. None if that is not defined.

        Other steps may decide which content that is, without being a part of it: whether blanks or
        symbols come before a symbol, or how often a stack was popped. They are sources too where
        few steps decide, such as the keys that a look-up compares. Otherwise a task leaves them out
        and says so, and its ``edits`` keep them as they are. Apart from them, an answer changes
        with its sources and with nothing else.
        """
        return None

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Inputs ``[E, T, B, in]`` that the task could draw too, each with few steps changed.

        The conformance kit tests ``sources`` with them. Here each step is replaced by that of other
        sequences of the batch. That is right where what a step may show depends on its place alone;
        other tasks say what may be changed, with the help of ``ntmbench.data.edits``.
        """
        return replaced_steps(inputs)

    def shown_at(self, inputs: FloatArray) -> NDArray[np.bool_] | None:
        """The input steps that show what each answer gives back, ``[T, B, T]``.

        True at ``[t, b, s]`` if step s of sequence b shows the item that is asked for at step t. If
        several steps show the same item, it is true for all of them. By default these are the
        ``sources``. A task defines this method where an answer also depends on other steps: a
        sorted number depends on all numbers, and is shown at its own step. None if that is not
        defined.
        """
        return self.sources(inputs)

    def ordered_by(self, inputs: FloatArray) -> NDArray[np.float64] | None:
        """The number by which each item is put in order, ``[T, B]``, for inputs ``[T, B, in]``.

        NaN at steps that show no item. None for a task that puts nothing in order.
        """
        return None

    def train_batch(self, seed: int, step: int, batch_size: int) -> Batch:
        """The training batch of a step: a function of its arguments and the settings alone."""
        words = RandomWords(Stream.TRAINING, self._key, seed, step, batch_size)
        return self._draw_like_training(words, batch_size)

    def validation_batches(self, sequences: int) -> Iterator[Batch]:
        """Validation data with the lengths of training, in batches of VALIDATION_BLOCK."""
        for block in range(math.ceil(sequences / VALIDATION_BLOCK)):
            words = RandomWords(Stream.VALIDATION, self._key, 0, block)
            size = min(VALIDATION_BLOCK, sequences - block * VALIDATION_BLOCK)
            yield self._draw_like_training(words, VALIDATION_BLOCK)[:size]

    def selection_set(self, length: int, sequences: int) -> Batch:
        """Validation data of one length, for selecting weights."""
        return self._fixed_set((Stream.VALIDATION, 1, length), length, sequences)

    def test_set(self, length: int, sequences: int) -> Batch:
        """The first ``sequences`` test sequences of a length."""
        return self._fixed_set((Stream.TEST, 0, length), length, sequences)

    def _draw_like_training(self, words: RandomWords, batch_size: int) -> Batch:
        length = words.integer(*self.length_range)
        return self.draw(words, batch_size, length, test=False)

    def _fixed_set(self, key: tuple[Stream, int, int], length: int, sequences: int) -> Batch:
        longest = min(self.longest_length, MAX_LENGTH)
        check_range("length", length, self.shortest_length, longest)
        stream, *rest = key
        blocks = [
            self.draw(RandomWords(stream, self._key, *rest, block), TEST_BLOCK, length, test=True)
            for block in range(math.ceil(sequences / TEST_BLOCK))
        ]
        return concatenate(blocks)[:sequences]

    @classmethod
    def undefined(cls) -> list[str]:
        """The names that a task must define and this class does not, sorted."""
        fields = getattr(cls, "__dataclass_fields__", {})
        names = set(cls.__abstractmethods__)
        if cls.length_range is Task.length_range and not {"min_length", "max_length"} <= set(
            fields
        ):
            names.add("length_range")
        if cls.lengths is None:
            names |= {
                name
                for name in ("selection_lengths", "test_lengths")
                if getattr(cls, name) is getattr(Task, name)
            }
        return sorted(names)

    def _possible(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted({min(length, self.longest_length) for length in lengths}))

    @property
    def _stated_lengths(self) -> Lengths:
        assert self.lengths is not None, "registration asks for ``undefined``"
        return self.lengths

    @cached_property
    def _key(self) -> int:
        return stable_id(f"{self.name}-{self.version}")

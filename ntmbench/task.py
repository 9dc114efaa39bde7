"""Task and Batch: the contract between data and models.

A task is a frozen dataclass whose fields are its settings. It draws batches from a stream, solves
their inputs with an oracle, and knows what the best constant answer scores.

Every sequence of a batch has the same length, drawn once per batch: nothing is ever padded, so a
model needs to know nothing of padding and no arithmetic is spent on it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ntmbench.randomness import RandomWords, Stream, stable_id

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
        targets: ``[T, B, output_width]``, each 0 or 1; zero where nothing is asked.
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
class Chance:
    """What the best constant answer scores, per sequence: one fixed probability per channel.

    Attributes:
        wrong_bits: thresholded bits that differ.
        loss_bits: cross-entropy in bits.
    """

    wrong_bits: float
    loss_bits: float

    @classmethod
    def of_fair_bits(cls, count: int) -> Chance:
        """Half of ``count`` fair bits is wrong, and each costs one bit."""
        return cls(count / 2, float(count))


@dataclass(frozen=True)
class Variation:
    """A test that no length of the grid stands for.

    Attributes:
        task: what is tested; of the same widths as the task that names it.
        length: at which length.
    """

    task: Task
    length: int


class Task(ABC):
    """An algorithmic memory task: a frozen dataclass, its fields the settings.

    ``length`` below is whatever the task counts as its difficulty: vectors, items or bits.
    """

    name: ClassVar[str]
    #: Changes whenever the same settings and keys give other data; it is part of a run's identity.
    version: ClassVar[int]
    #: Whether the input fixes the answer. Where it does not, wrong bits can not reach zero, and
    #: weights are selected by their loss.
    deterministic: ClassVar[bool] = True
    #: Whether a model that sees the current input alone can not beat the best constant answer.
    needs_memory: ClassVar[bool] = True

    @property
    @abstractmethod
    def input_width(self) -> int:
        """Channels of the input."""

    @property
    @abstractmethod
    def output_width(self) -> int:
        """Channels of the answer."""

    @property
    def shortest_length(self) -> int:
        """The least length at which there is anything to answer."""
        return 1

    @property
    @abstractmethod
    def length_range(self) -> tuple[int, int]:
        """The shortest and the longest training length, both included."""

    @property
    @abstractmethod
    def selection_lengths(self) -> tuple[int, ...]:
        """Lengths at which weights are selected (validation data), from the end of training on.

        Those within it count as training.
        """

    @property
    @abstractmethod
    def test_lengths(self) -> tuple[int, ...]:
        """The default test grid: the training range's end and well beyond it."""

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

        ``test`` asks for the hardest value of whatever else varies in training beside the length
        (the number of repeats, say), so that the test set of a length is one thing.
        """

    @abstractmethod
    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Solve ``inputs [T, B, input_width]`` without seeing targets.

        Returns probabilities ``[T, B, output_width]`` that each bit is 1, exact where the task is
        deterministic; steps that are not scored may hold anything.
        """

    @abstractmethod
    def chance(self, length: int) -> Chance:
        """What the best constant answer scores on test sequences of this length."""

    @abstractmethod
    def vectors_to_store(self, length: int) -> int:
        """How many memory slots a straightforward solution fills at this length."""

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
        stream, *rest = key
        blocks = [
            self.draw(RandomWords(stream, self._key, *rest, block), TEST_BLOCK, length, test=True)
            for block in range(math.ceil(sequences / TEST_BLOCK))
        ]
        return concatenate(blocks)[:sequences]

    @cached_property
    def _key(self) -> int:
        return stable_id(f"{self.name}-{self.version}")

"""The scores of a perfect and of a constant answer on the data that a run was scored on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntmbench.task import Batch, Task
from ntmbench.training.settings import TrainSettings

#: With fewer validation wrong bits per sequence a model counts as knowing a task (Collier and Beel
#: 2018).
SOLVED_BELOW = 0.1


@dataclass(frozen=True)
class Bits:
    """Per-sequence means, as in ``metrics.csv``."""

    loss_bits: float
    errors: float


@dataclass(frozen=True)
class DataLevels:
    """The two ends of the scale on a set of sequences.

    Attributes:
        optimum: the task's oracle; zero wrong bits if the task is deterministic.
        chance: the best constant answer, one fixed probability per output channel.
    """

    optimum: Bits
    chance: Bits

    @property
    def solvable(self) -> bool:
        """Whether zero wrong bits can be reached at all."""
        return self.optimum.errors == 0


def validation_size(identity: Mapping[str, Any]) -> int:
    """The number of validation sequences of a run with this identity; the default if it has none.

    On the same sequences the levels have no sampling error against the learning curve.
    """
    size: int = identity.get("train", {}).get(
        "validation_sequences", TrainSettings().validation_sequences
    )
    return size


def validation_levels(task: Task, sequences: int) -> DataLevels:
    """The levels on the validation data of the learning curve."""
    return data_levels(task, task.validation_batches(sequences))


def length_levels(task: Task, length: int, sequences: int) -> DataLevels:
    """The levels on the test sequences of a length."""
    return data_levels(task, [task.test_set(length, sequences)])


def data_levels(task: Task, batches: Iterable[Batch]) -> DataLevels:
    """The levels on any batches of a task."""
    sequences = steps = 0
    loss = wrong = 0.0
    ones = np.zeros(task.output_width)
    for batch in batches:
        scored = batch.mask > 0  # [T, B]
        targets = batch.targets[scored] > 0.5  # [scored, out]
        probability = task.oracle(batch.inputs)[scored].astype(np.float64)  # [scored, out]
        sequences += batch.size
        steps += len(targets)
        ones += targets.sum(axis=0)
        wrong += np.count_nonzero((probability > 0.5) != targets)
        loss += float(_surprise(np.where(targets, probability, 1 - probability)).sum())
    share = ones / steps  # [out]
    entropy = share * _surprise(share) + (1 - share) * _surprise(1 - share)
    return DataLevels(
        optimum=Bits(loss / sequences, wrong / sequences),
        chance=Bits(
            float(entropy.sum()) * steps / sequences,
            float(np.minimum(share, 1 - share).sum()) * steps / sequences,
        ),
    )


def _surprise(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """The information of an event in bits; finite for probability 0, which only occurs times 0."""
    bits: NDArray[np.float64] = -np.log2(np.maximum(probability, 2.0**-1000))
    return bits

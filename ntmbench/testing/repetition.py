"""Whether sequences come again: within a test set, and from training in the tests."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.task import Batch, Task

#: So many sequences of a test set must differ.
DIFFERENT_SEQUENCES = 256

#: So many training sequences of a length are compared with so many test sequences.
TRAINING_SEQUENCES = 4096
TEST_SEQUENCES = 512

#: Test sequences may be among them by chance in this share, and so many standard errors, beyond
#: what their entropy makes likely.
MARGIN = 0.01
DEVIATIONS = 3.0


def check_repetition(task: Task) -> None:
    """Check that from the longest training length on all sequences of a test set differ.

    Raises:
        AssertionError: naming a length at which some are there twice.
    """
    for length in (task.length_range[1], max(task.selection_lengths)):
        batch = task.test_set(length, DIFFERENT_SEQUENCES)
        repeated = batch.size - len(set(_shown(batch)))
        assert not repeated, (
            f"{repeated} of {batch.size} test sequences of length {length} are there twice; "
            "if there are so few, the task says so in few_sequences"
        )


def check_overlap(task: Task) -> None:
    """Check at the test lengths how many test sequences training shows too.

    It shows none beyond its own lengths.

    Raises:
        AssertionError: naming a length at which there are more than the task says.
    """
    shortest, longest = task.length_range
    for length in task.test_lengths:
        if not shortest <= length <= longest:
            continue
        seen = measure_overlap(task, length)
        likely = 1 - (1 - 0.5 ** task.collision_entropy(length)) ** TRAINING_SEQUENCES
        error = float(np.sqrt(likely * (1 - likely) / TEST_SEQUENCES))
        assert seen <= likely + MARGIN + DEVIATIONS * error, (
            f"{seen:.1%} of the test sequences of length {length} are among {TRAINING_SEQUENCES} "
            f"training sequences of that length; by the task's collision_entropy it is {likely:.1%}"
        )


def measure_overlap(task: Task, length: int) -> float:
    """The share of test sequences of a length that are among training sequences of that length."""
    words = RandomWords(Stream.TRAINING, 0, length)
    trained = set(_shown(task.draw(words, TRAINING_SEQUENCES, length, test=False)))
    tested = _shown(task.test_set(length, TEST_SEQUENCES))
    return float(np.mean([sequence in trained for sequence in tested]))


def _shown(batch: Batch) -> Iterator[bytes]:
    """The inputs of each sequence."""
    for sequence in range(batch.size):
        yield batch.inputs[:, sequence].tobytes()

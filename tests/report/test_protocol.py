"""No model is selected or tested on what it was trained on, but where a task is too small for that.

Streams are disjoint by their keys; here the sequences themselves are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from ntmbench.answer import Reals
from ntmbench.registry import make_task
from ntmbench.task import Batch, Task
from tests.tiers import tasks_by_tier

#: A question of so many steps holds 32 random bits at the least (key-value recall, of four pairs).
LONG = 8
#: Sequences are compared that are nearly as long as the longest in training: short ones are few.
NEARLY = 3 / 4
#: Bits that a text must hold for its source, who tosses coins, not to say it twice.
UNEXPECTED = 64

# Tasks whose shortest sequences are few, and one of them.
SMALL = {"copy": 1, "repeat_copy": 1, "sorting": 1}


def questions(batch: Batch, which: NDArray[np.bool_] | None = None) -> Iterator[bytes]:
    """The inputs of each sequence of a batch, or of those that ``which [B]`` names."""
    for sequence in range(batch.size):
        if which is None or which[sequence]:
            yield batch.inputs[:, sequence].tobytes()


def shown(batch: Batch, task: Task) -> int:
    """The steps of a batch's questions."""
    return batch.answer_start if task.has_input_phase else len(batch.inputs)


def unlikely(task: Task, batch: Batch) -> NDArray[np.bool_]:
    """Which sequences ``[B]`` hold so much that nobody would draw them twice by chance."""
    if isinstance(task.answer, Reals):  # their inputs are real numbers too
        return np.full(batch.size, True)
    if task.deterministic or task.family != "predict":
        longest = task.test_set(task.length_range[1], 1)
        long = shown(batch, task) >= min(LONG, shown(longest, task))
        return np.full(batch.size, long and len(batch.inputs) >= NEARLY * len(longest.inputs))
    steps = 32
    while True:
        # A beginning that holds so much will do: the optimum of a long text takes long.
        bits = bits_of(task, batch, steps)
        if steps >= len(batch.inputs) or bits.min() >= UNEXPECTED:
            return np.asarray(bits >= UNEXPECTED)
        steps *= 2


def bits_of(task: Task, batch: Batch, steps: int) -> NDArray[np.float64]:
    """What the first steps of each sequence ``[B]`` hold for who knows the source, in bits."""
    probability = task.oracle(batch.inputs[:steps])
    of_target = np.where(batch.targets[:steps] == 1, probability, 1 - probability)
    bits = -np.log2(of_target) * batch.mask[:steps, :, np.newaxis]
    return np.asarray(bits.sum(axis=(0, 2)))


@cache
def trained_on(name: str, steps: int = 500) -> set[bytes]:
    """The questions of the first training batches."""
    task = make_task(name)
    drawn = (task.train_batch(0, step, 8) for step in range(steps))
    return {question for batch in drawn for question in questions(batch)}


def held_out(task: Task) -> dict[str, list[Batch]]:
    """All data that a model is validated, selected and tested on by default."""
    shortest, longest = task.length_range
    selection = {*task.selection_lengths, shortest, longest}
    tests = {*task.test_lengths, shortest, longest}
    return {
        "validation": list(task.validation_batches(640)),
        "selection": [task.selection_set(length, 128) for length in selection],
        "test": [task.test_set(length, 512 if length < 1000 else 64) for length in tests],
    }


@pytest.mark.parametrize("name", tasks_by_tier())
def test_no_sequence_is_both_trained_on_and_held_out(name: str) -> None:
    task = make_task(name)
    if task.few_sequences:
        pytest.skip("the task says that it has few sequences")
    known = trained_on(name)
    seen: dict[bytes, str] = {}
    for stream, batches in held_out(task).items():
        compared = 0
        for batch in batches:
            for question in questions(batch, unlikely(task, batch)):
                compared += 1
                assert question not in known, f"{stream} data in training"
                assert seen.setdefault(question, stream) == stream
        assert compared > 50, stream


@pytest.mark.parametrize(("name", "length"), SMALL.items())
def test_the_shortest_sequences_of_a_small_task_turn_up_in_both(name: str, length: int) -> None:
    """As the task's docstring says: there are only 256, or 256 for each number of repeats."""
    batch = make_task(name).test_set(length, 512)
    found = [question in trained_on(name, 2000) for question in questions(batch)]
    assert len(set(questions(batch))) <= 256
    assert np.mean(found) > (0.3 if name == "repeat_copy" else 0.9)


def test_a_source_that_repeats_a_bit_turns_up_in_both() -> None:
    """As the docstring of n-grams says: all of what is met again is of this kind."""
    task = make_task("ngrams")
    found = [
        np.frombuffer(question, np.float32)
        for batch in held_out(task)["validation"]
        for question in questions(batch)
        if question in trained_on("ngrams")
    ]
    assert 0 < len(found) < 0.03 * 640
    assert all(len(set(bits[-100:])) == 1 for bits in found)

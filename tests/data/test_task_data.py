"""Data is a pure function of the settings and a few integers, and never changes unnoticed."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from ntmbench.registry import make_task
from ntmbench.task import Batch
from tests.golden import hashes, known, renewed

GOLDEN = known()

# Default data of all built-in tasks, the last one first.
HASH_ALL_TASKS = """
import sys
from tests.golden import data_hash
from ntmbench.registry import make_task
import ntmbench.tasks
from ntmbench.task import Task

for task in reversed(Task.__subclasses__()):
    print(task.name, data_hash(task()))
assert "torch" not in sys.modules
"""


def same(first: Batch, second: Batch) -> bool:
    """Whether two batches hold the same bits."""
    return (
        np.array_equal(first.inputs, second.inputs)
        and np.array_equal(first.targets, second.targets)
        and np.array_equal(first.mask, second.mask)
        and first.answer_start == second.answer_start
    )


def test_data_is_that_of_each_tasks_version() -> None:
    """`python -m tests.golden` renews the file: for a new task, or with a new version."""
    assert hashes() == known()


def test_hashes_are_renewed_with_a_new_version_alone() -> None:
    before: Any = {"copy": {"version": 1, "sha256": "a"}}
    assert renewed(before, {"copy": {"version": 2, "sha256": "b"}})["copy"]["sha256"] == "b"
    assert renewed({}, before) == before
    with pytest.raises(ValueError, match=r"The data of copy changed. Allowed: together with"):
        renewed(before, {"copy": {"version": 1, "sha256": "b"}})


@pytest.mark.parametrize("name", GOLDEN)
def test_a_new_version_has_new_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(name)
    length = task.length_range[1]
    before = task.test_set(length, 8)
    monkeypatch.setattr(type(task), "version", task.version + 1)
    assert not same(make_task(name).test_set(length, 8), before)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_training_batch_does_not_depend_on_what_was_drawn_before(name: str) -> None:
    forwards, backwards = make_task(name), make_task(name)
    first = [forwards.train_batch(0, step, 4) for step in range(5)]
    backwards.test_set(backwards.length_range[1], 2)
    second = [backwards.train_batch(0, step, 4) for step in reversed(range(5))]
    assert all(same(one, two) for one, two in zip(first, reversed(second), strict=True))


@pytest.mark.parametrize("name", GOLDEN)
def test_a_training_batch_depends_on_seed_step_and_batch_size(name: str) -> None:
    task = make_task(name, min_length=make_task(name).length_range[1])
    batch = task.train_batch(0, 0, 4)
    for other in (task.train_batch(1, 0, 4), task.train_batch(0, 1, 4), task.train_batch(0, 0, 5)):
        assert not np.array_equal(batch.inputs, other.inputs[:, :4])


@pytest.mark.parametrize("name", GOLDEN)
def test_a_longer_set_begins_with_the_shorter(name: str) -> None:
    task = make_task(name)
    length = task.length_range[1]
    test = task.test_set(length, 1024)
    assert same(test[:512], task.test_set(length, 512))
    assert same(test[:70], task.test_set(length, 70))
    assert same(task.selection_set(length, 100)[:33], task.selection_set(length, 33))
    long, short = list(task.validation_batches(100)), list(task.validation_batches(40))
    assert [batch.size for batch in long] == [32, 32, 32, 4]
    assert same(long[0], short[0])
    assert same(long[1][:8], short[1])


@pytest.mark.parametrize("name", GOLDEN)
def test_a_test_set_does_not_depend_on_the_training_lengths(name: str) -> None:
    task = make_task(name)
    length = task.length_range[1]
    longer = make_task(name, max_length=2 * length)
    assert same(longer.test_set(length, 20), task.test_set(length, 20))


@pytest.mark.parametrize("name", GOLDEN)
def test_streams_share_no_data(name: str) -> None:
    length = make_task(name).length_range[1]
    task = make_task(name, min_length=length)  # short sequences repeat by chance
    sets = [
        [task.train_batch(0, step, 64) for step in range(4)],
        [task.train_batch(1, step, 64) for step in range(4)],
        [task.train_batch(0, step, 32) for step in range(8)],
        list(task.validation_batches(256)),
        [task.selection_set(length, 256)],
        [task.test_set(length, 256)],
    ]
    questions = [
        batch.inputs[: batch.answer_start or None, sequence].tobytes()
        for batch in itertools.chain.from_iterable(sets)
        for sequence in range(batch.size)
    ]
    assert len(questions) == 6 * 256
    # A source of n-grams may get stuck at once: a few sequences of equal bits are expected.
    expected = 0.95 * len(questions) if name == "ngrams" else len(questions)
    assert len(set(questions)) >= expected


def test_another_process_draws_the_same_without_torch() -> None:
    output = subprocess.run(
        [sys.executable, "-c", HASH_ALL_TASKS], capture_output=True, text=True, check=True
    ).stdout
    found = dict(line.split() for line in output.splitlines())
    assert found == {name: golden["sha256"] for name, golden in GOLDEN.items()}

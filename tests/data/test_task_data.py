"""Data is a pure function of the settings and a few integers, and never changes unnoticed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from ntmbench.errors import SettingError
from ntmbench.registry import make_task, task_names
from ntmbench.task import Batch
from tests.golden import hashes, known, renewed

GOLDEN = known()

#: The tasks whose training lengths are settings.
RANGED = [
    name for name in task_names() if {"min_length", "max_length"} <= set(vars(make_task(name)))
]

# Default data of all built-in tasks, the last one first.
HASH_ALL_TASKS = """
import sys
from tests.golden import data_hash
from ntmbench import registry
import ntmbench.tasks

for name, task in reversed(registry._tasks.items()):
    print(name, data_hash(task()))
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


@pytest.mark.parametrize("name", RANGED)
def test_a_test_set_does_not_depend_on_the_training_lengths(name: str) -> None:
    task = make_task(name)
    length = task.length_range[1]
    try:
        longer = make_task(name, max_length=2 * length)
    except SettingError as refusal:
        pytest.skip(str(refusal))
    assert same(longer.test_set(length, 20), task.test_set(length, 20))


def questions_of(batch: Batch) -> list[bytes]:
    """What each sequence shows before it answers."""
    return [
        batch.inputs[: batch.answer_start or None, sequence].tobytes()
        for sequence in range(batch.size)
    ]


@pytest.mark.parametrize("name", RANGED)
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
    drawn = [[asked for batch in batches for asked in questions_of(batch)] for batches in sets]
    assert [len(asked) for asked in drawn] == [256] * 6
    different = sum(len(set(asked)) for asked in drawn)
    shared = different - len(set().union(*drawn))
    # Of 15 pairs of sets and 6 sets with about half as many pairs in each, five times as many
    # sequences are the same by chance between the sets as within them; twice that is allowed.
    assert shared <= 10 * (6 * 256 - different)


def test_another_process_draws_the_same_without_torch() -> None:
    output = subprocess.run(
        [sys.executable, "-c", HASH_ALL_TASKS], capture_output=True, text=True, check=True
    ).stdout
    found = dict(line.split() for line in output.splitlines())
    assert found == {name: golden["sha256"] for name, golden in GOLDEN.items()}

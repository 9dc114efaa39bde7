"""Hashes of every task's data. `python -m tests.golden` renews the file that holds them.

A hash may change only together with its task's ``version``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ntmbench.registry import make_task, task_names
from ntmbench.task import TEST_BLOCK, VALIDATION_BLOCK, Task

FILE = Path(__file__).with_name("golden.json")

#: The longest test length that a hash includes.
LONGEST = 400


def data_hash(task: Task) -> str:
    """A hash of some training, validation, selection and test data of a task."""
    length = task.length_range[1]
    beyond = max(tested for tested in task.test_lengths if tested <= LONGEST)
    digest = hashlib.sha256()
    for batch in (
        task.train_batch(seed=1, step=2, batch_size=3),
        task.train_batch(seed=1, step=3, batch_size=3),
        *task.validation_batches(VALIDATION_BLOCK + 2),
        task.selection_set(length, 3),
        task.test_set(length, TEST_BLOCK + 2),
        task.test_set(beyond, 2),
    ):
        digest.update(f"{batch.inputs.shape} {batch.targets.shape} {batch.answer_start}".encode())
        for array in (batch.inputs, batch.targets, batch.mask):
            digest.update(array.astype("<f4").tobytes())
    return digest.hexdigest()


def hashes() -> dict[str, dict[str, int | str]]:
    """The current version and hash of every registered task."""
    tasks = [make_task(name) for name in task_names()]
    return {task.name: {"version": task.version, "sha256": data_hash(task)} for task in tasks}


def known() -> dict[str, dict[str, int | str]]:
    """The version and hash of every task in the file."""
    read: dict[str, dict[str, int | str]] = json.loads(FILE.read_text())
    return read


def renewed(
    before: dict[str, dict[str, int | str]], now: dict[str, dict[str, int | str]]
) -> dict[str, dict[str, int | str]]:
    """The new content of the file.

    Raises:
        ValueError: for a task whose data changed and whose version did not.
    """
    for name, golden in now.items():
        then = before.get(name, golden)
        if then["version"] == golden["version"] and then != golden:
            raise ValueError(f"The data of {name} changed. Allowed: together with its version.")
    return now


if __name__ == "__main__":
    FILE.write_text(json.dumps(renewed(known(), hashes()), indent=2) + "\n")

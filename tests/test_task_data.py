"""Data is a pure function of the settings and a few integers, and never changes unnoticed."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import itertools
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from ntmbench.registry import make_task
from ntmbench.task import TEST_BLOCK, VALIDATION_BLOCK, Batch, Task

# A hash may change only together with its task's ``version``.
GOLDEN = {
    "copy": (1, "4ec2af6affacc92f1b1da63e28c8fc97bf140f6e988a19c0d7b0ba8f1d73d1d5"),
    "ngrams": (1, "35e7f050f47cf6ced4c2f8a7137bd160a09bea3f6c882c5f41bde1c86c07396f"),
    "priority_sort": (1, "938d18841e83886575bf5a45ef6775186d386ec3f4b470e786bfd917e1b7d5fe"),
    "recall": (1, "a995f81841fb5be51f89b098fef99a84cb89069a52d59515ad0033b72e094945"),
    "repeat_copy": (1, "e97606c1b50eb1ba09c8636336c9bfd6e10ead5830b89bdd4db92bde31df14be"),
    "sorting": (1, "6ef96d42546a6eb85e828fa368dc626fa5b3324e8496ace237b54abd3798f731"),
}

#: Of each task a length beyond training; part of what its hash is taken over.
BEYOND = {
    "copy": 120,
    "ngrams": 400,
    "priority_sort": 40,
    "recall": 20,
    "repeat_copy": 20,
    "sorting": 40,
}

# Run after the source of ``data_hash``: default data of all built-in tasks, the last one first.
HASH_ALL_TASKS = """
import sys
import ntmbench.tasks

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


def data_hash(task: Task) -> str:
    """A hash of some training, validation, selection and test data of a task."""
    length = task.length_range[1]
    digest = hashlib.sha256()
    for batch in (
        task.train_batch(seed=1, step=2, batch_size=3),
        task.train_batch(seed=1, step=3, batch_size=3),
        *task.validation_batches(VALIDATION_BLOCK + 2),
        task.selection_set(length, 3),
        task.test_set(length, TEST_BLOCK + 2),
        task.test_set(BEYOND[task.name], 2),
    ):
        digest.update(f"{batch.inputs.shape} {batch.targets.shape} {batch.answer_start}".encode())
        for array in (batch.inputs, batch.targets, batch.mask):
            digest.update(array.astype("<f4").tobytes())
    return digest.hexdigest()


def test_every_task_has_a_golden_hash() -> None:
    modules = pkgutil.iter_modules(importlib.import_module("ntmbench.tasks").__path__)
    assert sorted(GOLDEN) == sorted(module.name for module in modules)


@pytest.mark.parametrize("name", GOLDEN)
def test_data_is_that_of_the_tasks_version(name: str) -> None:
    task = make_task(name)
    assert (task.version, data_hash(task)) == GOLDEN[name]


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
    task = make_task(name, min_length=length)  # short sequences would repeat by chance
    sets = [
        [task.train_batch(0, step, 64) for step in range(4)],
        [task.train_batch(1, step, 64) for step in range(4)],
        [task.train_batch(0, step, 32) for step in range(8)],
        list(task.validation_batches(256)),
        [task.selection_set(length, 256)],
        [task.test_set(length, 256)],
    ]
    questions = [
        batch.inputs[:length, sequence].tobytes()
        for batch in itertools.chain.from_iterable(sets)
        for sequence in range(batch.size)
    ]
    assert len(questions) == 6 * 256
    # A source of n-grams may get stuck at once: a few sequences of equal bits are expected.
    expected = 0.95 * len(questions) if name == "ngrams" else len(questions)
    assert len(set(questions)) >= expected


def test_another_process_draws_the_same_without_torch() -> None:
    imports = "import hashlib\nfrom ntmbench.task import TEST_BLOCK, Task, VALIDATION_BLOCK\n\n"
    lengths = f"BEYOND = {BEYOND}\n\n"
    output = subprocess.run(
        [sys.executable, "-c", imports + lengths + inspect.getsource(data_hash) + HASH_ALL_TASKS],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    hashes = dict(line.split() for line in output.splitlines())
    assert hashes == {name: data_hash(make_task(name)) for name in GOLDEN}

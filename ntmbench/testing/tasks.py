"""The conformance kit for tasks."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ntmbench.data.identity import fingerprint, identity_of
from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.evaluation.levels import data_levels
from ntmbench.evaluation.scores import errors
from ntmbench.model import TensorBatch
from ntmbench.task import TEST_BLOCK, VALIDATION_BLOCK, Batch, Task
from ntmbench.testing.items import check_items
from ntmbench.testing.random_states import random_states_untouched
from ntmbench.testing.repetition import check_overlap, check_repetition
from ntmbench.testing.shortcuts import check_shortcuts
from ntmbench.testing.sources import check_meaning_of_sources, check_shape_of_sources

#: The best constant answer is computed from so many sequences. A stated chance may differ from it
#: by this share.
CHANCE_SEQUENCES = 2048
CHANCE_MARGIN = 0.05
#: The oracle has less loss than it on so many of them.
ORACLE_SEQUENCES = 512

#: A batch of 64 is drawn in at most this time, by the quickest of so many. The first that is quick
#: enough ends it, so that they may be many, and outlast a time in which the machine is slow.
DRAWING_SECONDS = 5e-3
DRAWN_BATCHES = 200


def check_task(task: Task) -> None:
    """Check a task: its contract, and what it declares of itself at these settings.

    A contract is about settings, names, streams, batches, oracle, chance, lengths and sources. What
    a task declares is how far shortcuts go, and how many sequences there are. No two sequences of a
    test set may be alike, and a batch must be drawn quickly. The data of its variations is checked
    too.

    Raises:
        AssertionError: saying what does not hold.
    """
    check_contract(task)
    with random_states_untouched():
        check_shortcuts(task)
        if not task.few_sequences:
            check_repetition(task)
            check_overlap(task)
        _check_speed(task)


def check_contract(task: Task) -> None:
    """Check what holds at all settings of a task, however small they make it.

    Raises:
        AssertionError: saying what does not hold.
    """
    with random_states_untouched():
        _check_settings(task)
        _check_lengths(task)
        _check_streams(task)
        for batch in _batches_of(task):
            _check_data(task, batch)
        _check_chance(task)
        check_meaning_of_sources(task)
        for variation in task.variations.values():
            assert variation.task.input_width == task.input_width, "a variation has other inputs"
            assert variation.task.answer == task.answer, "a variation has another answer"
            _check_data(variation.task, variation.task.test_set(variation.length, 4))


def _check_settings(task: Task) -> None:
    assert dataclasses.is_dataclass(task), "the task is not a dataclass"
    assert task.__dataclass_params__.frozen, "the task's dataclass is not frozen"
    assert isinstance(task.version, int), f"version={task.version!r} is not a whole number"
    assert isinstance(task.family, str), f"family={task.family!r} is not a word"
    assert (type(task).__doc__ or "").strip(), "the task has no docstring"
    inputs, outputs = (task.input_names, task.input_width), (task.output_names, task.output_width)
    for names, width in (inputs, outputs):
        assert len(names) in (0, width), f"{len(names)} names for {width} channels"
        assert len(set(names)) == len(names), f"two channels have the same name: {names}"
    fingerprint(identity_of(task))  # TypeError for a setting that is no plain value


def _check_lengths(task: Task) -> None:
    shortest, longest = task.length_range
    assert task.shortest_length <= shortest <= longest, f"length_range={task.length_range}"
    assert longest <= task.longest_length, f"length_range={task.length_range}"
    for name in ("selection_lengths", "test_lengths"):
        lengths = getattr(task, name)
        assert len(lengths) > 0, f"{name} is empty"
        assert list(lengths) == sorted(set(lengths)), f"{name}={lengths} is not ascending"
        assert lengths[0] >= task.shortest_length, f"{name}={lengths} begins below the shortest"
        for length in lengths:
            assert task.demand(length) >= 0, f"demand({length}) is negative"


def _check_streams(task: Task) -> None:
    """Data is a function of its key alone; sets of different purposes differ."""
    steps = range(3)
    forwards = [task.train_batch(0, step, 4) for step in steps]
    longest = task.length_range[1]
    task.test_set(longest, 2)
    backwards = [task.train_batch(0, step, 4) for step in reversed(steps)]
    for first, again in zip(forwards, reversed(backwards), strict=True):
        _same(first, again, "a training batch drawn twice")
    for kind, drawn_set in (("test", task.test_set), ("selection", task.selection_set)):
        for more in (8, TEST_BLOCK + 2):
            long, short = drawn_set(longest, more), drawn_set(longest, more - 1)
            _same(long[: more - 1], short, f"a longer {kind} set's beginning")
    long_blocks = list(task.validation_batches(2 * VALIDATION_BLOCK))
    blocks = list(task.validation_batches(VALIDATION_BLOCK + 2))
    assert [block.size for block in blocks] == [VALIDATION_BLOCK, 2], "validation has other sizes"
    _same(long_blocks[0], blocks[0], "longer validation data's beginning")
    _same(long_blocks[1][:2], blocks[1], "longer validation data's beginning")
    drawn = {
        "two seeds": [task.train_batch(seed, 0, 64) for seed in (0, 1)],
        "two steps": [task.train_batch(0, step, 64) for step in (0, 1)],
        "two batch sizes": [task.train_batch(0, 0, size)[:64] for size in (64, 65)],
        "selection and test": [task.selection_set(longest, 64), task.test_set(longest, 64)],
    }
    for name, (one, other) in drawn.items():
        alike = one.inputs.shape == other.inputs.shape and np.array_equal(one.inputs, other.inputs)
        assert not alike, f"{name} have the same data"


def _batches_of(task: Task) -> Iterator[Batch]:
    for step in range(3):
        yield task.train_batch(0, step, 5)
    yield from task.validation_batches(4)
    for length in {task.length_range[0], task.length_range[1], task.test_lengths[0]}:
        yield task.selection_set(length, 5)
        yield task.test_set(length, 5)


def _check_data(task: Task, batch: Batch) -> None:
    _check_batch(task, batch)
    _check_oracle(task, batch)
    check_shape_of_sources(task, batch)
    check_items(task, batch)


def _check_batch(task: Task, batch: Batch) -> None:
    steps, size = batch.mask.shape
    assert batch.inputs.shape == (steps, size, task.input_width), f"inputs {batch.inputs.shape}"
    assert batch.targets.shape == (steps, size, task.output_width), f"targets {batch.targets.shape}"
    for name in ("inputs", "targets", "mask"):
        array = getattr(batch, name)
        assert array.dtype == np.float32, f"{name} are {array.dtype}"
        assert np.isfinite(array).all(), f"{name} hold numbers that are not finite"
    assert set(np.unique(batch.mask)) <= {0, 1}, "the mask holds other numbers than 0 and 1"
    assert batch.mask.any(axis=0).all(), "a sequence has no scored step"
    assert not batch.targets[batch.mask == 0].any(), "targets are not zero where nothing is asked"
    assert 0 <= batch.answer_start < steps, f"answer_start={batch.answer_start} of {steps} steps"
    assert not batch.mask[: batch.answer_start].any(), "a step before the answer's start is scored"
    if not task.has_input_phase:
        assert batch.answer_start == 0, "a task without an input phase has a late answer_start"
    with _as_assertion(""):
        task.answer.check_targets(batch.targets[batch.mask == 1])


def _check_oracle(task: Task, batch: Batch) -> None:
    before = batch.inputs.copy()
    solved = task.oracle(batch.inputs)
    assert np.array_equal(batch.inputs, before), "the oracle edits its inputs"
    assert solved.shape == batch.targets.shape, f"the oracle answers {solved.shape}"
    with _as_assertion("the oracle: "):
        task.answer.check_solved(solved[batch.mask == 1])
    if task.deterministic:
        tensors = TensorBatch.of(batch, torch.device("cpu"))
        wrong = errors(task.answer, task.answer.logits_of(torch.from_numpy(solved)), tensors)
        assert not wrong.any(), f"the oracle makes {int(wrong.sum())} errors"


@contextmanager
def _as_assertion(subject: str) -> Iterator[None]:
    """Raise what an answer finds wrong as an AssertionError that begins with its ``subject``."""
    try:
        yield
    except ValueError as error:
        raise AssertionError(f"{subject}{error}") from error


def _check_chance(task: Task) -> None:
    length = task.length_range[1]
    batch = task.test_set(length, CHANCE_SEQUENCES)
    found, stated = task.answer.best_constant(batch.targets, batch.mask), task.chance(length)
    for name in ("errors", "loss_bits"):
        there, told = getattr(found, name), getattr(stated, name)
        assert abs(there - told) <= CHANCE_MARGIN * max(told, 1e-9), (
            f"chance({length}).{name} is {told:g}, and the best constant answer has {there:g}"
        )
    # Both on the same data. Where nothing is uncertain, a constant is as good.
    some = batch[:ORACLE_SEQUENCES]
    loss = data_levels(task, [some]).optimum.loss_bits
    constant = task.answer.best_constant(some.targets, some.mask).loss_bits
    assert loss < constant or constant == 0, (
        f"the oracle has a loss of {loss:g} bits, and the best constant answer {constant:g}"
    )


def _check_speed(task: Task) -> None:
    """The quickest of a few batches counts, so that other work on the machine does not."""
    length = task.length_range[1]
    quickest = math.inf
    for number in range(DRAWN_BATCHES):
        words = RandomWords(Stream.TRAINING, number)
        started = time.process_time()
        task.draw(words, 64, length, test=False)
        quickest = min(quickest, time.process_time() - started)
        if quickest <= DRAWING_SECONDS:
            return
    raise AssertionError(
        f"a batch of 64 at length {length} takes {quickest * 1e3:.1f} ms to draw; "
        f"allowed: {DRAWING_SECONDS * 1e3:g}"
    )


def _same(one: Batch, other: Batch, what: str) -> None:
    alike = all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("inputs", "targets", "mask")
    )
    assert alike, f"{what} is not the same"
    assert one.answer_start == other.answer_start, f"{what} has another answer_start"

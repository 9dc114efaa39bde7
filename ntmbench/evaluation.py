"""A trained model on validation data, on the grid of test lengths and on the task's variations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ntmbench.metrics import Scores, StepErrors, pool, score, step_errors
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.sequences import MAX_LENGTH
from ntmbench.settings import SettingError, check_range
from ntmbench.task import Batch, Task

# Sequences of a chunk: at most so many, and fewer where they, or the memory of each, are long.
CHUNK_SEQUENCES = 64
CHUNK_STEPS = 2**17
CHUNK_SLOTS = 2**20

Found = TypeVar("Found")


@dataclass(frozen=True)
class Evaluation:
    """What one pass over the test grid found.

    Attributes:
        by_length: a row per length with the columns of ``evaluation.csv``.
        by_position: a row per length and scored step with the columns of ``positions.csv``.
    """

    by_length: pd.DataFrame
    by_position: pd.DataFrame


def evaluate(
    model: nn.Module,
    task: Task,
    *,
    lengths: Sequence[int] | None = None,
    sequences: int = 512,
) -> pd.DataFrame:
    """Test a model on each length, with its memory enlarged where the length outgrows it.

    Returns a row per length with the columns of ``evaluation.csv``: per-sequence means, see
    ``ntmbench.metrics``. ``lengths`` defaults to the task's test grid.

    Raises:
        SettingError: for no length, one twice, one that is too short for the task or longer than
            MAX_LENGTH, or less than one sequence.
    """
    return evaluate_in_detail(model, task, lengths=lengths, sequences=sequences).by_length


def evaluate_in_detail(
    model: nn.Module,
    task: Task,
    *,
    lengths: Sequence[int] | None = None,
    sequences: int = 512,
) -> Evaluation:
    """Test a model as ``evaluate`` does, and tell at which steps of the answer its errors lie."""
    chosen = task.test_lengths if lengths is None else lengths
    _check_grid(task, chosen, sequences)
    rows, positions = [], []
    for length in chosen:
        row, errors = _test(model, task, length, sequences)
        rows.append(row)
        positions.append(_by_position(length, errors))
    return Evaluation(_evaluation_table(rows), pd.concat(positions, ignore_index=True))


def _check_grid(task: Task, lengths: Sequence[int], sequences: int) -> None:
    check_range("sequences", sequences, 1)
    if not len(lengths):
        raise SettingError("lengths is empty. Allowed: one length or more, or None for the grid.")
    for length in lengths:
        check_range("lengths", length, task.shortest_length, MAX_LENGTH)
    if len(set(lengths)) < len(lengths):
        listed = ", ".join(str(length) for length in lengths)
        raise SettingError(f"lengths={listed} has a length twice. Allowed: each once.")


def evaluate_variations(model: nn.Module, task: Task, *, sequences: int = 512) -> pd.DataFrame:
    """Test a model on each of the task's variations.

    Returns a row per variation with the columns of ``variations.csv``: its name, and then those of
    ``evaluation.csv``. Empty where the task names none.

    Raises:
        SettingError: for less than one sequence.
    """
    check_range("sequences", sequences, 1)
    rows = []
    for name, variation in task.variations.items():
        row, _ = _test(model, variation.task, variation.length, sequences)
        rows.append({"variation": name, **row})
    return _evaluation_table(rows) if rows else pd.DataFrame()


def score_batch(model: nn.Module, batch: Batch) -> Scores:
    """Score a batch of any size, in chunks that fit memory. The model never sees the targets."""
    return pool(_for_each_chunk(model, batch, _score))


def answer(model: nn.Module, batch: TensorBatch, *, teacher: bool = False) -> Tensor:
    """Return the logits ``[T, B, out]`` of any module; only ``teacher`` shows it the targets."""
    inputs = batch.inputs.clone()  # a model may edit in place what it is given
    if isinstance(model, SequenceModel):
        targets = batch.targets.clone() if teacher else None
        return model.answer(inputs, batch.answer_start, targets)
    logits: Tensor = model(inputs)
    return logits


@contextmanager
def enough_memory(model: nn.Module, task: Task, length: int) -> Iterator[int | None]:
    """Enlarge an external memory to hold a length, to the next power of two, for a while.

    Yields the number of slots, None where the model has no memory.
    """
    if not isinstance(model, SequenceModel) or model.memory_slots is None:
        yield None
        return
    slots = model.memory_slots
    needed = task.vectors_to_store(length) + 1  # one slot to rest on
    enlarged = slots if needed <= slots else 1 << (needed - 1).bit_length()
    model.memory_slots = enlarged
    try:
        yield enlarged
    finally:
        model.memory_slots = slots


def device_of(model: nn.Module) -> torch.device:
    """Where a model's parameters are; the CPU where it has none."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


def _test(
    model: nn.Module, task: Task, length: int, sequences: int
) -> tuple[dict[str, Any], StepErrors]:
    """A row of ``evaluation.csv``, and the errors by step behind it."""

    def measure(logits: Tensor, chunk: TensorBatch) -> tuple[Scores, StepErrors]:
        return _score(logits, chunk), step_errors(logits, chunk.targets, chunk.mask)

    with enough_memory(model, task, length) as slots:
        measured = _for_each_chunk(model, task.test_set(length, sequences), measure)
    scores = pool(part for part, _ in measured)
    errors = StepErrors(
        torch.stack([part.wrong_bits for _, part in measured]).sum(dim=0),
        torch.stack([part.sequences for _, part in measured]).sum(dim=0),
    )
    row = {
        "length": length,
        "memory_slots": slots,
        "sequences": scores.sequences,
        "loss_bits": scores.loss_bits,
        "wrong_bits": scores.wrong_bits,
        "chance_wrong_bits": task.chance(length).wrong_bits,
        "exact_match": scores.exact_match,
    }
    return row, errors


def _score(logits: Tensor, chunk: TensorBatch) -> Scores:
    return score(logits, chunk.targets, chunk.mask)


@torch.no_grad()
def _for_each_chunk(
    model: nn.Module, batch: Batch, measure: Callable[[Tensor, TensorBatch], Found]
) -> list[Found]:
    """What ``measure`` makes of a model's logits ``[T, B, out]`` on each chunk of a batch."""
    device = device_of(model)
    slots = model.memory_slots if isinstance(model, SequenceModel) else None
    size = max(
        1,
        min(CHUNK_SEQUENCES, CHUNK_STEPS // batch.inputs.shape[0], CHUNK_SLOTS // (slots or 1)),
    )
    found = []
    was_training = model.training
    model.eval()
    try:
        for start in range(0, batch.size, size):
            chunk = TensorBatch.of(batch[start : start + size], device)
            found.append(measure(answer(model, chunk), chunk))
    finally:
        model.train(was_training)
    return found


def _by_position(length: int, errors: StepErrors) -> pd.DataFrame:
    """Mean wrong bits at each step that any sequence scores, numbered from 0."""
    sequences = errors.sequences.cpu().numpy()
    scored = sequences > 0
    means = errors.wrong_bits.cpu().numpy()[scored] / sequences[scored]
    return pd.DataFrame(
        {
            "length": length,
            "position": np.arange(len(means)),
            "sequences": sequences[scored].astype(np.int64),
            "wrong_bits": means,
        }
    )


def _evaluation_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype({"memory_slots": "Int64"})

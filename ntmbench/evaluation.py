"""A trained model on validation data and on the grid of test lengths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pandas as pd
import torch
from torch import Tensor, nn

from ntmbench.metrics import Scores, pool, score
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.task import Batch, Task

# Sequences of a chunk: at most so many, and fewer where they, or the memory of each, are long.
CHUNK_SEQUENCES = 64
CHUNK_STEPS = 2**17
CHUNK_SLOTS = 2**20


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
    """
    rows = []
    for length in lengths or task.test_lengths:
        with enough_memory(model, task, length) as slots:
            scores = score_batch(model, task.test_set(length, sequences))
        rows.append(
            {
                "length": length,
                "memory_slots": slots,
                "sequences": scores.sequences,
                "loss_bits": scores.loss_bits,
                "wrong_bits": scores.wrong_bits,
                "chance_wrong_bits": task.chance(length).wrong_bits,
                "exact_match": scores.exact_match,
            }
        )
    return pd.DataFrame(rows).astype({"memory_slots": "Int64"})


@torch.no_grad()
def score_batch(model: nn.Module, batch: Batch) -> Scores:
    """Score a batch of any size, in chunks that fit memory. The model never sees the targets."""
    device = device_of(model)
    slots = model.memory_slots if isinstance(model, SequenceModel) else None
    size = max(
        1,
        min(CHUNK_SEQUENCES, CHUNK_STEPS // batch.inputs.shape[0], CHUNK_SLOTS // (slots or 1)),
    )
    parts = []
    was_training = model.training
    model.eval()
    try:
        for start in range(0, batch.size, size):
            chunk = TensorBatch.of(batch[start : start + size], device)
            logits = answer(model, chunk)
            parts.append(score(logits, chunk.targets, chunk.mask))
    finally:
        model.train(was_training)
    return pool(parts)


def answer(model: nn.Module, batch: TensorBatch, *, teacher: bool = False) -> Tensor:
    """Return the logits ``[T, B, out]`` of any module; only ``teacher`` shows it the targets."""
    if isinstance(model, SequenceModel):
        targets = batch.targets if teacher else None
        return model.answer(batch.inputs, batch.answer_start, targets)
    logits: Tensor = model(batch.inputs)
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

"""A trained model on validation data, on the grid of test lengths and on the task's variations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ntmbench.data.lengths import MAX_LENGTH
from ntmbench.errors import SettingError, check_whole
from ntmbench.evaluation.answering import answer, device_of, enough_memory, evaluating
from ntmbench.evaluation.scores import Scores, StepErrors, pool, score, step_errors
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.task import Batch, Task

# Sequences of a chunk: at most so many, and fewer if they, or the memory of each, are large.
CHUNK_SEQUENCES = 64
CHUNK_STEPS = 2**17
CHUNK_SLOTS = 2**20

Found = TypeVar("Found")


@dataclass(frozen=True)
class Evaluation:
    """The results of one pass over the test grid.

    Attributes:
        by_length: a row per length with the columns of ``evaluation.csv``.
        by_position: a row per length and scored step with the columns of ``positions.csv``.
    """

    by_length: pd.DataFrame
    by_position: pd.DataFrame


@dataclass(frozen=True)
class Tested:
    """What the test of one length found.

    Attributes:
        row: of ``evaluation.csv``.
        by_position: rows of ``positions.csv``.
    """

    row: dict[str, Any]
    by_position: pd.DataFrame


class Keeper(Protocol):
    """Keeps the lengths that are tested, so that a test goes on where it was stopped."""

    def get(self, length: int) -> Tested | None:
        """What was found at a length; None where it is not tested yet."""

    def keep(self, length: int, tested: Tested) -> None:
        """Keep what was found at a length."""


def evaluate(
    model: nn.Module,
    task: Task,
    *,
    lengths: Sequence[int] | None = None,
    sequences: int = 512,
) -> pd.DataFrame:
    """Test a model on each length, with its memory enlarged if the length outgrows it.

    Returns a row per length with the columns of ``evaluation.csv``: per-sequence means, see
    ``ntmbench.evaluation.scores``. ``lengths`` defaults to the task's test grid.

    Raises:
        SettingError: if there is no length, one occurs twice, is too short for the task or exceeds
            MAX_LENGTH, or there is less than one sequence.
    """
    return evaluate_in_detail(model, task, lengths=lengths, sequences=sequences).by_length


def evaluate_in_detail(
    model: nn.Module,
    task: Task,
    *,
    lengths: Sequence[int] | None = None,
    sequences: int = 512,
    keeper: Keeper | None = None,
) -> Evaluation:
    """Test a model as ``evaluate`` does, and count its errors at each step of the answer.

    Lengths that ``keeper`` knows are not tested again.
    """
    chosen = task.test_lengths if lengths is None else lengths
    _check_grid(task, chosen, sequences)
    if isinstance(model, SequenceModel):
        model.prepare(task)
    found = []
    for length in chosen:
        tested = keeper.get(length) if keeper is not None else None
        if tested is None:
            tested = _test(model, task, length, sequences)
            if keeper is not None:
                keeper.keep(length, tested)
        found.append(tested)
    positions = pd.concat([tested.by_position for tested in found], ignore_index=True)
    return Evaluation(_evaluation_table([tested.row for tested in found]), positions)


def _check_grid(task: Task, lengths: Sequence[int], sequences: int) -> None:
    check_whole("sequences", sequences, 1)
    if not isinstance(lengths, Sequence | np.ndarray):
        raise SettingError(f"lengths={lengths!r} is no list. Allowed: lengths=[{lengths}].")
    if not len(lengths):
        raise SettingError("lengths is empty. Allowed: one length or more, or None for the grid.")
    for length in lengths:
        check_whole("lengths", length, task.shortest_length, MAX_LENGTH)
    if len(set(lengths)) < len(lengths):
        listed = ", ".join(str(length) for length in lengths)
        raise SettingError(f"lengths={listed} has a length twice. Allowed: each once.")


def evaluate_variations(model: nn.Module, task: Task, *, sequences: int = 512) -> pd.DataFrame:
    """Test a model on each of the task's variations.

    Returns a row per variation with the columns of ``variations.csv``: its name, and then those of
    ``evaluation.csv``. The table is empty if the task names none.

    Raises:
        SettingError: for less than one sequence.
    """
    check_whole("sequences", sequences, 1)
    rows = []
    for name, variation in task.variations.items():
        tested = _test(model, variation.task, variation.length, sequences)
        rows.append({"variation": name, **tested.row})
    return _evaluation_table(rows) if rows else pd.DataFrame()


def score_batch(model: nn.Module, task: Task, batch: Batch, items: int = 0) -> Scores:
    """Score a batch of any size, in chunks that fit memory. The model never sees the targets.

    An external memory is enlarged to hold ``items``.
    """

    def measure(logits: Tensor, chunk: TensorBatch) -> Scores:
        return score(task.answer, logits, chunk)

    with enough_memory(model, items) as slots:
        return pool(for_each_chunk(model, batch, slots, measure))


def _test(model: nn.Module, task: Task, length: int, sequences: int) -> Tested:

    def measure(logits: Tensor, chunk: TensorBatch) -> tuple[Scores, StepErrors]:
        return score(task.answer, logits, chunk), step_errors(task.answer, logits, chunk)

    with enough_memory(model, task.demand(length)) as slots:
        measured = for_each_chunk(model, task.test_set(length, sequences), slots, measure)
    scores = pool(part for part, _ in measured)
    errors = StepErrors(
        torch.stack([part.errors for _, part in measured]).sum(dim=0),
        torch.stack([part.sequences for _, part in measured]).sum(dim=0),
    )
    row = {
        "length": length,
        "memory_slots": slots,
        "sequences": scores.sequences,
        "loss_bits": scores.loss_bits,
        "errors": scores.errors,
        "chance_errors": task.chance(length).errors,
        "exact_match": scores.exact_match,
    }
    return Tested(row, _by_position(length, errors))


def for_each_chunk(
    model: nn.Module,
    batch: Batch,
    slots: int | None,
    measure: Callable[[Tensor, TensorBatch], Found],
) -> list[Found]:
    """Apply ``measure`` to a model's logits ``[T, B, out]`` on each chunk of a batch."""
    device = device_of(model)
    size = max(
        1,
        min(CHUNK_SEQUENCES, CHUNK_STEPS // batch.inputs.shape[0], CHUNK_SLOTS // (slots or 1)),
    )
    found = []
    with evaluating(model):
        for start in range(0, batch.size, size):
            chunk = TensorBatch.of(batch[start : start + size], device)
            found.append(measure(answer(model, chunk), chunk))
    return found


def _by_position(length: int, errors: StepErrors) -> pd.DataFrame:
    """Mean errors at each step that is scored in any sequence, numbered from 0."""
    sequences = errors.sequences.cpu().numpy()
    scored = sequences > 0
    means = errors.errors.cpu().numpy()[scored] / sequences[scored]
    return pd.DataFrame(
        {
            "length": length,
            "position": np.arange(len(means)),
            "sequences": sequences[scored].astype(np.int64),
            "errors": means,
        }
    )


def _evaluation_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype({"memory_slots": "Int64"})

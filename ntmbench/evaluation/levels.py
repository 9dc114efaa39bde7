"""The scores of a perfect and of a constant answer on the data that a run was scored on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ntmbench.evaluation.scores import pool, score
from ntmbench.model import TensorBatch
from ntmbench.task import Batch, Task

#: Sequences whose answers tell where training takes a constant: more than are validated, as all of
#: a batch are of one length.
FITTED = 16_000

#: Validation errors per sequence below which a model is taken to know a task (Collier and
#: Beel 2018).
SOLVED_BELOW = 0.1


@dataclass(frozen=True)
class Level:
    """Per-sequence means, as in ``metrics.csv``."""

    loss_bits: float
    errors: float


@dataclass(frozen=True)
class DataLevels:
    """The two ends of the scale on a set of sequences.

    Attributes:
        optimum: the task's oracle; without errors where the task is deterministic.
        chance: the best constant answer: the same one at every scored step.
    """

    optimum: Level
    chance: Level

    @property
    def solvable(self) -> bool:
        """Whether an answer can be without errors at all."""
        return self.optimum.errors == 0


def validation_levels(task: Task, sequences: int) -> DataLevels:
    """The levels on the validation data of the learning curve."""
    return data_levels(task, task.validation_batches(sequences))


def trained_constant(task: Task, sequences: int) -> Level:
    """What the constant answer of least training loss scores on the data of the learning curve.

    In that loss a sequence with few answers counts as much as one with many. Where they differ,
    this is not the best constant of all answers, which is chance. Each sequence has a scored step,
    as in training.
    """
    total, weight = np.zeros(task.answer.channels), 0.0
    for batch in task.validation_batches(max(FITTED, sequences)):
        shares = batch.mask / batch.mask.sum(axis=0)  # [T, B]
        total += np.einsum("tbo,tb->o", batch.targets, shares, dtype=np.float64)
        weight += batch.mask.shape[1]
    constant = task.answer.logits_of(torch.from_numpy(total / weight))  # [out]
    whole = pool(
        score(task.answer, constant.expand(batch.targets.shape), _in_precision_of(constant, batch))
        for batch in task.validation_batches(sequences)
    )
    return Level(whole.loss_bits, whole.errors)


def length_levels(task: Task, length: int, sequences: int) -> DataLevels:
    """The levels on the test sequences of a length."""
    return data_levels(task, [task.test_set(length, sequences)])


def scored_answers(task: Task, length: int, sequences: int) -> float:
    """The answers that count on the test sequences of a length, per sequence."""
    scored = float(task.test_set(length, sequences).mask.sum())
    return scored * task.answer.answers_per_step / sequences


def data_levels(task: Task, batches: Iterable[Batch]) -> DataLevels:
    """The levels on any batches of a task, each of at least one scored step."""
    parts, targets = [], []
    for batch in batches:
        solved = torch.from_numpy(task.oracle(batch.inputs))
        logits = task.answer.logits_of(solved)
        parts.append(score(task.answer, logits, _in_precision_of(logits, batch)))
        targets.append(batch.targets[batch.mask > 0])  # [scored, out]
    optimum = pool(parts)
    steps = np.concatenate(targets).astype(np.float64)[:, np.newaxis]  # [scored, 1, out]
    # The best constant of all sequences together, as if they were one.
    whole = task.answer.best_constant(steps, np.ones(steps.shape[:2]))
    return DataLevels(
        optimum=Level(optimum.loss_bits, optimum.errors),
        chance=Level(whole.loss_bits / optimum.sequences, whole.errors / optimum.sequences),
    )


def _in_precision_of(logits: Tensor, batch: Batch) -> TensorBatch:
    """The batch as tensors of the type of ``logits``, so that nothing is lost in the sums."""
    whole = TensorBatch.of(batch, logits.device)
    return replace(whole, targets=whole.targets.to(logits), mask=whole.mask.to(logits))

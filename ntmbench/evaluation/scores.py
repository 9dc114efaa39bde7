"""The three figures by which every model is judged, per sequence, and their training gradient.

The literature mixes two of them up. ``errors`` counts wrong answers (wrong bits, if the answers are
bits), and ``loss_bits`` is the cross-entropy in bits. Both are sums over the scored steps of a
sequence. The task's ``Answer`` defines what an answer is and when it is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ntmbench.answer import NATS_PER_BIT, Answer, sum_in_order
from ntmbench.model import TensorBatch


@dataclass(frozen=True)
class Scores:
    """Per-sequence means over a number of sequences."""

    sequences: int
    loss_bits: float
    errors: float
    exact_match: float
    scored: float  # answers that are scored


@dataclass(frozen=True)
class StepErrors:
    """Errors at each step, summed over a number of sequences.

    Attributes:
        errors: ``[T]``, over the sequences that score the step.
        sequences: ``[T]``, how many score it.
    """

    errors: Tensor
    sequences: Tensor


def loss_bits(answer: Answer, logits: Tensor, batch: TensorBatch) -> Tensor:
    """The loss in bits of each sequence, ``[B]`` in float64, for logits ``[T, B, out]``."""
    steps = answer.nats(logits, batch.targets) * batch.mask
    return sum_in_order(steps.double(), dim=0) / NATS_PER_BIT


def mean_loss_bits(answer: Answer, logits: Tensor, batch: TensorBatch) -> float:
    """The loss in bits per sequence."""
    losses = loss_bits(answer, logits, batch).tolist()
    # fsum rounds once, so that the order of the sequences does not matter.
    return math.fsum(losses) / len(losses)


@torch.no_grad()
def loss_gradient(answer: Answer, logits: Tensor, batch: TensorBatch) -> Tensor:
    """Gradient ``[T, B, out]`` of the training loss: nats per scored answer, mean over the batch.

    It is written out because PyTorch's bookkeeping costs more than the arithmetic on small models.
    """
    weight = batch.mask / (scored(answer, batch) * batch.mask.shape[1])  # [T, B]
    return answer.slope(logits, batch.targets).mul_(weight.unsqueeze(2))


def errors(answer: Answer, logits: Tensor, batch: TensorBatch) -> Tensor:
    """Wrong answers of each sequence, ``[B]``, for logits ``[T, B, out]``."""
    return (answer.errors(logits, batch.targets) * batch.mask).sum(dim=0)


def scored(answer: Answer, batch: TensorBatch) -> Tensor:
    """The number of scored answers of each sequence, ``[B]``."""
    return batch.mask.sum(dim=0) * answer.answers_per_step


@torch.no_grad()
def score(answer: Answer, logits: Tensor, batch: TensorBatch) -> Scores:
    """Score one batch by its logits ``[T, B, out]``."""
    wrong = errors(answer, logits, batch)
    return Scores(
        sequences=batch.mask.shape[1],
        loss_bits=mean_loss_bits(answer, logits, batch),
        errors=wrong.double().mean().item(),
        exact_match=(wrong == 0).double().mean().item(),
        scored=scored(answer, batch).double().mean().item(),
    )


@torch.no_grad()
def step_errors(answer: Answer, logits: Tensor, batch: TensorBatch) -> StepErrors:
    """Count one batch's errors by step, from its logits ``[T, B, out]``."""
    wrong = (answer.errors(logits, batch.targets) * batch.mask).double().sum(dim=1)  # [T]
    return StepErrors(wrong, batch.mask.double().sum(dim=1))


def pool(parts: Iterable[Scores]) -> Scores:
    """The scores of several batches together, weighted by their numbers of sequences."""
    parts = list(parts)
    total = sum(part.sequences for part in parts)

    def mean(name: str) -> float:
        return float(sum(getattr(part, name) * part.sequences for part in parts) / total)

    return Scores(total, mean("loss_bits"), mean("errors"), mean("exact_match"), mean("scored"))

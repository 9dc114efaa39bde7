"""The three figures by which every model is judged, per sequence.

The literature mixes two of them up. ``wrong_bits`` counts thresholded bits that differ, and
``loss_bits`` is the cross-entropy in bits; both are sums over the scored steps of a sequence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Scores:
    """Per-sequence means over a number of sequences."""

    sequences: int
    loss_bits: float
    wrong_bits: float
    exact_match: float
    scored_bits: float


@dataclass(frozen=True)
class StepErrors:
    """Wrong bits at each step, summed over a number of sequences.

    Attributes:
        wrong_bits: ``[T]``, over the sequences that score the step.
        sequences: ``[T]``, how many score it.
    """

    wrong_bits: Tensor
    sequences: Tensor


def loss_bits(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy in bits of each sequence, ``[B]``.

    Shapes: logits and targets ``[T, B, out]``, mask ``[T, B]``.
    """
    # Not PyTorch's own cross-entropy: that one takes all its threads for however little, and they
    # keep the processor busy for a while after.
    nats = torch.lerp(functional.softplus(logits), functional.softplus(-logits), targets)
    return (nats.sum(dim=2) * mask).sum(dim=0) / math.log(2)


@torch.no_grad()
def loss_gradient(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Gradient ``[T, B, out]`` of the training loss, nats per scored bit, mean over the batch.

    Shapes: logits and targets ``[T, B, out]``, mask ``[T, B]``. The slope of the cross-entropy is
    the probability less the target. Written out, since on small models PyTorch's bookkeeping costs
    more than the arithmetic.
    """
    weight = mask / (scored_bits(targets, mask) * mask.shape[1])  # [T, B]
    return (torch.sigmoid(logits) - targets).mul_(weight.unsqueeze(2))


def wrong_bits(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Bits of each sequence that differ after thresholding at probability 1/2, ``[B]``.

    A logit that is not a number is no answer, and wrong. Shapes: logits and targets
    ``[T, B, out]``, mask ``[T, B]``.
    """
    differs = _differs(logits, targets)
    return (differs.sum(dim=2) * mask).sum(dim=0)


def scored_bits(targets: Tensor, mask: Tensor) -> Tensor:
    """Bits of each sequence that are scored at all, ``[B]``."""
    return mask.sum(dim=0) * targets.shape[2]


@torch.no_grad()
def score(logits: Tensor, targets: Tensor, mask: Tensor) -> Scores:
    """Score one batch; logits and targets ``[T, B, out]``, mask ``[T, B]``."""
    wrong = wrong_bits(logits, targets, mask)
    return Scores(
        sequences=targets.shape[1],
        loss_bits=loss_bits(logits, targets, mask).double().mean().item(),
        wrong_bits=wrong.double().mean().item(),
        exact_match=(wrong == 0).double().mean().item(),
        scored_bits=scored_bits(targets, mask).double().mean().item(),
    )


@torch.no_grad()
def step_errors(logits: Tensor, targets: Tensor, mask: Tensor) -> StepErrors:
    """Count one batch's wrong bits by step; logits and targets ``[T, B, out]``, mask ``[T, B]``."""
    differs = _differs(logits, targets)
    wrong = (differs.sum(dim=2) * mask).double().sum(dim=1)  # [T]
    return StepErrors(wrong, mask.double().sum(dim=1))


def _differs(logits: Tensor, targets: Tensor) -> Tensor:
    return ((logits > 0) != (targets > 0.5)) | logits.isnan()


def pool(parts: Iterable[Scores]) -> Scores:
    """The scores of several batches together, each weighted by its sequences."""
    parts = list(parts)
    total = sum(part.sequences for part in parts)

    def mean(name: str) -> float:
        return float(sum(getattr(part, name) * part.sequences for part in parts) / total)

    return Scores(
        total, mean("loss_bits"), mean("wrong_bits"), mean("exact_match"), mean("scored_bits")
    )

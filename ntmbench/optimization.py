"""Optimizer, learning-rate schedule and the running average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ntmbench.config import TrainSettings


def make_optimizer(model: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Centered RMSProp (Graves 2013, eqs. 38-45, as PyTorch has it) or Adam."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    if settings.optimizer == "adam":
        return torch.optim.Adam(
            parameters,
            lr=settings.learning_rate,
            betas=(settings.momentum, settings.smoothing),
            eps=settings.epsilon,
        )
    return torch.optim.RMSprop(
        parameters,
        lr=settings.learning_rate,
        alpha=settings.smoothing,
        eps=settings.epsilon,
        momentum=settings.momentum,
        centered=True,
    )


def learning_rate_at(step: int, settings: TrainSettings) -> float:
    """The learning rate of a step, counted from 0: a warm-up, then the schedule.

    A falling schedule reaches ``final_learning_rate`` times the learning rate at the last step.
    """
    rate = settings.learning_rate
    warmup = settings.warmup_sequences / settings.batch_size
    if step < warmup:
        return rate * (step + 1) / (warmup + 1)
    if settings.schedule == "constant":
        return rate
    done = (step - warmup) / max(1.0, settings.steps - 1 - warmup)
    left = 1 - done if settings.schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
    floor = settings.final_learning_rate
    return rate * (floor + (1 - floor) * left)


class WeightAverage:
    """Exponential running average of a model's parameters.

    The decay rises to its set value with the steps taken, so that the random initial weights are
    soon forgotten. With a decay of 0 the average is the weights themselves.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Start at the model's weights."""
        self.decay = decay
        self._parameters = list(model.parameters()) if decay > 0 else []
        self._average = [p.detach().clone() for p in self._parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step, counted from 0."""
        if self._parameters:
            decay = min(self.decay, (1 + step) / (10 + step))
            current = [p.detach() for p in self._parameters]
            torch._foreach_lerp_(self._average, current, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average in the model's place for as long as the context lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def tensors(self) -> list[Tensor]:
        """The averages, in the order of the model's parameters; empty with a decay of 0."""
        return self._average

    @torch.no_grad()
    def load(self, tensors: list[Tensor]) -> None:
        """Take over averages that ``tensors`` gave."""
        for mine, theirs in zip(self._average, tensors, strict=True):
            mine.copy_(theirs)

    def _swap(self) -> None:
        for parameter, average in zip(self._parameters, self._average, strict=True):
            kept = parameter.data.clone()
            parameter.data.copy_(average)
            average.copy_(kept)

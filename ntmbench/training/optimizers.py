"""Optimizer steps, the learning-rate schedule and the running average of the weights.

On a CPU all weights of a model lie in one vector, and a step is a few compiled passes over it
(``ntmbench.engine.optimizer_update``). Elsewhere PyTorch's own optimizers do the same, weight by
weight.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ntmbench.data.elementary import power, sine_squared
from ntmbench.engine.addresses import addresses_of
from ntmbench.training.settings import TrainSettings

#: Stands for a missing gradient; its address is 0.
_EMPTY = torch.empty(0)


def learning_rate_at(step: int, settings: TrainSettings) -> float:
    """The learning rate of a step of an attempt, counted from 0: a warm-up, then the schedule.

    A falling schedule reaches ``final_learning_rate`` times the learning rate at the last step.
    """
    rate = settings.learning_rate
    warmup = settings.warmup_sequences / settings.batch_size
    if step < warmup:
        return rate * (step + 1) / (warmup + 1)
    if settings.schedule == "constant":
        return rate
    done = (step - warmup) / max(1.0, settings.attempt_steps - 1 - warmup)
    left = 1 - done if settings.schedule == "linear" else 1 - sine_squared(done)
    floor = settings.final_learning_rate
    return rate * (floor + (1 - floor) * left)


def decay_at(step: int, decay: float) -> float:
    """The decay of the weights' average after a step, counted from 0.

    It rises to its set value, so that the random initial weights are soon forgotten.
    """
    return min(decay, (1 + step) / (10 + step))


class Optimizer(ABC):
    """Clipping, an update and the running average of the weights, for one model.

    ``state`` holds both kinds of attributes: plain values and lists of tensors.
    """

    def __init__(self, model: nn.Module, settings: TrainSettings) -> None:
        """Collect the model's trainable weights."""
        self.settings = settings
        self.weights = [p for p in model.parameters() if p.requires_grad]

    @abstractmethod
    def step(self, number: int) -> bool:
        """Apply step ``number`` of an attempt, counted from 0, to the weights and their average.

        Returns False, and changes nothing, if the gradient's norm is not finite.
        """

    @abstractmethod
    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the average in the weights' place for as long as the context lasts."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to hold."""

    @abstractmethod
    def load(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""

    @abstractmethod
    def restart(self) -> None:
        """Forget everything except the current weights."""

    def gradients(self) -> list[Tensor | None]:
        """Each weight's gradient; sparse ones, as of ``nn.Embedding(sparse=True)``, made dense."""
        gradients = [weight.grad for weight in self.weights]
        sparse = [gradient.is_sparse for gradient in gradients if gradient is not None]
        if True in sparse:
            for weight, gradient in zip(self.weights, gradients, strict=True):
                weight.grad = gradient if gradient is None else gradient.to_dense()
            return self.gradients()
        return gradients

    def zero_gradient(self) -> None:
        """Forget the gradient of the step before."""
        for weight in self.weights:
            weight.grad = None

    def release(self) -> None:
        """Forget the gradients, and leave the weights in memory of their own."""
        self.zero_gradient()


def make_optimizer(model: nn.Module, settings: TrainSettings) -> Optimizer:
    """The compiled optimizer for float32 weights on a CPU, PyTorch's for any others."""
    weights = list(model.parameters())
    if all(w.device.type == "cpu" and w.dtype == torch.float32 for w in weights):
        return CompiledOptimizer(model, settings)
    return TorchOptimizer(model, settings)


class CompiledOptimizer(Optimizer):
    """One compiled call over a vector ``[P]`` that the weights become views of."""

    def __init__(self, model: nn.Module, settings: TrainSettings) -> None:
        """Move the weights into one vector."""
        super().__init__(model, settings)
        total = sum(w.numel() for w in self.weights)
        self._vector = torch.empty(total)
        start = 0
        for weight in self.weights:
            view = self._vector[start : start + weight.numel()].view_as(weight)
            view.copy_(weight.detach())
            weight.data = view
            start += weight.numel()
        self._sizes = np.array([w.numel() for w in self.weights], dtype=np.int64)
        self._moments = {name: torch.zeros(total) for name in self._moment_names()}
        self._average = self._vector.clone() if settings.weight_average > 0 else torch.empty(0)
        self._steps = 0
        # The same memory as NumPy arrays, which the compiled step takes.
        self._weights_view, self._average_view = self._vector.numpy(), self._average.numpy()
        self._moment_views = [moment.numpy() for moment in self._moments.values()]

    def step(self, number: int) -> bool:
        """Update the vector of weights in place."""
        from ntmbench.engine import optimizer_update  # compiled when it is first needed

        s = self.settings
        # Held here, since the compiled code has only their addresses.
        gradients = [_EMPTY if g is None else g.contiguous() for g in self.gradients()]
        scalars = [s.clip_value or math.inf, s.clip_norm or math.inf, learning_rate_at(number, s)]
        scalars += [s.smoothing, s.momentum, s.epsilon]
        update: Callable[..., bool] = optimizer_update.step_rmsprop
        if s.optimizer == "adam":
            update, steps = optimizer_update.step_adam, self._steps + 1
            scalars += [1 - power(s.smoothing, steps), 1 - power(s.momentum, steps)]
        applied = update(
            self._weights_view,
            addresses_of(*gradients),
            self._sizes,
            *self._moment_views,
            *map(np.float32, scalars),
        )
        if not applied:
            return False
        self._steps += 1
        if s.weight_average > 0:
            share = np.float32(1 - decay_at(number, s.weight_average))
            optimizer_update.update_average(self._average_view, self._weights_view, share)
        return True

    def restart(self) -> None:
        """Reset the moments; the average begins anew."""
        for moment in self._moments.values():
            moment.zero_()
        if self.settings.weight_average > 0:
            self._average.copy_(self._vector)
        self._steps = 0

    def release(self) -> None:
        """Give every weight its own memory again, and forget the gradients."""
        super().release()
        for weight in self.weights:
            weight.data = weight.data.clone()

    def _moment_names(self) -> tuple[str, ...]:
        adam = self.settings.optimizer == "adam"
        return ("square", "mean") if adam else ("square", "mean", "velocity")

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Swap the vector and the average, and swap them back."""
        if self.settings.weight_average == 0:
            yield
            return
        kept = self._vector.clone()
        self._vector.copy_(self._average)
        try:
            yield
        finally:
            self._vector.copy_(kept)

    def state(self) -> dict[str, Any]:
        """The moments, the average and the number of steps applied."""
        return {
            "kind": "compiled",
            "steps": self._steps,
            "average": self._average,
            **self._moments,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""
        self._steps = int(state["steps"])
        self._average.copy_(state["average"])
        for name, moment in self._moments.items():
            moment.copy_(state[name])


class TorchOptimizer(Optimizer):
    """PyTorch's optimizers, on any device and for weights of any type."""

    def __init__(self, model: nn.Module, settings: TrainSettings) -> None:
        """Build the optimizer of the settings."""
        super().__init__(model, settings)
        self._optimizer = self._make()
        self._average = (
            [w.detach().clone() for w in self.weights] if settings.weight_average else []
        )

    def restart(self) -> None:
        """Build the optimizer again; the average begins anew."""
        self._optimizer = self._make()
        self._average = [w.detach().clone() for w in self.weights] if self._average else []

    def _make(self) -> torch.optim.Optimizer:
        s = self.settings
        if s.optimizer == "adam":
            betas = (s.momentum, s.smoothing)
            return torch.optim.Adam(self.weights, s.learning_rate, betas=betas, eps=s.epsilon)
        return torch.optim.RMSprop(
            self.weights,
            s.learning_rate,
            alpha=s.smoothing,
            eps=s.epsilon,
            momentum=s.momentum,
            centered=True,
        )

    @torch.no_grad()
    def step(self, number: int) -> bool:
        """Clip the gradient, update the weights and move their average."""
        gradients = [gradient for gradient in self.gradients() if gradient is not None]
        s = self.settings
        if s.clip_value > 0:
            if not all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
                return False  # which clipping would hide
            torch._foreach_clamp_min_(gradients, -s.clip_value)
            torch._foreach_clamp_max_(gradients, s.clip_value)
        norm = nn.utils.get_total_norm(gradients).item()
        if not math.isfinite(norm):
            return False
        if 0 < s.clip_norm < norm:
            torch._foreach_mul_(gradients, s.clip_norm / (norm + 1e-6))
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate_at(number, s)
        self._optimizer.step()
        if self._average:
            share = 1 - decay_at(number, s.weight_average)
            torch._foreach_lerp_(self._average, [w.detach() for w in self.weights], share)
        return True

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Swap each weight and its average, and swap them back."""
        kept = [w.detach().clone() for w in self.weights] if self._average else []
        self._fill(self._average)
        try:
            yield
        finally:
            self._fill(kept)

    def state(self) -> dict[str, Any]:
        """The optimizer's own state, and the averages."""
        return {"kind": "torch", "torch": self._optimizer.state_dict(), "average": self._average}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""
        self._optimizer.load_state_dict(state["torch"])
        for mine, theirs in zip(self._average, state["average"], strict=True):
            mine.copy_(theirs)

    @torch.no_grad()
    def _fill(self, values: list[Tensor]) -> None:
        for weight, value in zip(self.weights, values, strict=False):
            weight.copy_(value)

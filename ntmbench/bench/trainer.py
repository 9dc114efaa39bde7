"""The cost of the training loop beside forward, the loss's gradient and backward."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from ntmbench.bench.cases import Case, Contender, training_step
from ntmbench.model import TensorBatch
from ntmbench.task import Task
from ntmbench.training.batches import DRAWN_AHEAD
from ntmbench.training.loop import train
from ntmbench.training.observer import Observer
from ntmbench.training.optimizers import make_optimizer
from ntmbench.training.settings import TrainSettings

ROUNDS = 5
#: Steps of a round.
STEPS = 256
#: Steps of the loop that are timed together, since not all steps do the same.
WINDOW = 32


@dataclass(frozen=True)
class TrainerCost:
    """Milliseconds of a step of the real loop, validation excluded, and where they go.

    ``model`` is forward, the loss's gradient and backward. ``parts`` are the other things that a
    step does, each timed by itself in the order of the loop, so that its code is as cold as there.
    ``other`` is the rest.
    """

    step: float
    model: float
    parts: dict[str, float]

    @property
    def share(self) -> float:
        """The share of a step that lies outside forward, the loss's gradient and backward."""
        return (self.step - self.model) / self.step

    @property
    def other(self) -> float:
        """The time that no part accounts for; negative if the loop is quicker than its parts."""
        return self.step - self.model - sum(self.parts.values())

    def __str__(self) -> str:
        """One line for people."""
        parts = ", ".join(f"{name} {value:.3f}" for name, value in self.parts.items())
        return (
            f"{self.share:.1%} of a step lies outside forward, loss gradient and backward: "
            f"{self.step:.3f} ms a step, {self.model:.3f} of it the model; {parts}, "
            f"other {self.other:.3f}"
        )


class StepClock(Observer):
    """Takes the time at the end of every step."""

    def __init__(self) -> None:
        """Start without a step that has ended."""
        self.ends: list[float] = []

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        """Note the end of a step."""
        self.ends.append(time.perf_counter())

    def quickest(self, window: int) -> float:
        """Seconds of a step, the mean of the quickest window: disturbances only add time."""
        return float(np.diff(self.ends[::window]).min()) / window


def measure_trainer(
    case: Case,
    contender: Contender,
    *,
    steps: int = STEPS,
    rounds: int = ROUNDS,
    window: int = WINDOW,
) -> TrainerCost:
    """Time the loop of ``ntmbench.training.train`` at batch 1, the model and parts, in turn."""
    lengths = {"min_length": case.length, "max_length": case.length}
    task = replace(case.task, **lengths)  # type: ignore[type-var]
    # Validations come before the first step and after the last, hence in no window.
    settings = TrainSettings(
        sequences=steps + 1,
        batch_size=1,
        validate_every=steps + 1,
        validation_sequences=1,
        selection_sequences=1,
    )
    model = contender.model(case)
    train(model, task, replace(settings, sequences=3), device="cpu")  # compiles the kernels
    forward_backward = training_step(
        model, case.task, TensorBatch.of(case.batch(1), torch.device("cpu"))
    )
    loops, models, parts = [], [], []
    for _ in range(rounds):
        in_loop, alone = StepClock(), StepClock()
        train(model, task, settings, device="cpu", observer=in_loop)
        for _ in range(steps + 1):
            forward_backward()
            alone.stepped(1, float)
        loops.append(in_loop.quickest(window))
        models.append(alone.quickest(window))
        parts.append(_parts(copy.deepcopy(model), task, settings, steps))
    return TrainerCost(
        step=min(loops) * 1e3,
        model=min(models) * 1e3,
        parts={name: statistics.median(p[name] for p in parts) * 1e3 for name in parts[0]},
    )


def _parts(model: nn.Module, task: Task, settings: TrainSettings, steps: int) -> dict[str, float]:
    """Median seconds of each part of a step, one after the other as in the loop.

    The update has a learning rate of about zero, because the model must stay as it is.
    """
    optimizer = make_optimizer(model, replace(settings, learning_rate=1e-30))
    batch = task.train_batch(0, 0, 1)
    cpu = torch.device("cpu")
    tensors = TensorBatch.of(batch, cpu)
    parts: dict[str, Callable[[], object]] = {
        "drawing data": lambda: [task.train_batch(0, step, 1) for step in range(DRAWN_AHEAD)],
        "tensors": lambda: TensorBatch.of(batch, cpu),
        "model": training_step(model, task, tensors),
        "update": lambda: optimizer.step(0),
    }
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(steps):
        for name, part in parts.items():
            started = time.perf_counter()
            part()
            taken[name].append(time.perf_counter() - started)
    del taken["model"]
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    medians["drawing data"] /= DRAWN_AHEAD  # as many batches as the loop draws in a row
    return medians

"""What the training loop costs beside forward, loss and backward."""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from ntmbench.bench.cases import Case, Contender, training_step
from ntmbench.bench.measure import median_seconds
from ntmbench.config import TrainSettings
from ntmbench.model import TensorBatch
from ntmbench.optimization import make_optimizer
from ntmbench.task import Task
from ntmbench.training import Monitor, train

ROUNDS = 5
#: Steps of a block.
STEPS = 200


@dataclass(frozen=True)
class TrainerCost:
    """Milliseconds of a step of the real loop, validation excluded, and where they go.

    ``model`` is forward, loss and backward. ``parts`` are measured by themselves; ``other`` is what
    they leave: reading the loss, the monitor, the clock.
    """

    step: float
    model: float
    parts: dict[str, float]

    @property
    def share(self) -> float:
        """The share of a step that lies outside forward, loss and backward."""
        return (self.step - self.model) / self.step

    @property
    def other(self) -> float:
        """What no part accounts for."""
        return self.step - self.model - sum(self.parts.values())

    def __str__(self) -> str:
        """One line for people."""
        parts = ", ".join(f"{name} {value:.3f}" for name, value in self.parts.items())
        return (
            f"{self.share:.1%} of a step lies outside forward, loss and backward: "
            f"{self.step:.3f} ms a step, {self.model:.3f} of it the model; {parts}, "
            f"other {self.other:.3f}"
        )


class StepClock(Monitor):
    """Takes the time at the end of every step."""

    def __init__(self) -> None:
        """No step has ended yet."""
        self.ends: list[float] = []

    def stepped(self, sequences: int, loss_bits: float) -> None:
        """Note the end of a step."""
        self.ends.append(time.perf_counter())

    def median_seconds(self) -> float:
        """From one step's end to the next, validation not being between them."""
        return float(np.median(np.diff(self.ends)))


def measure_trainer(
    case: Case, contender: Contender, *, steps: int = STEPS, rounds: int = ROUNDS
) -> TrainerCost:
    """Time the loop of ``ntmbench.training.train`` at batch 1, against its parts, in turn."""
    lengths = {"min_length": case.length, "max_length": case.length}
    task = replace(case.task, **lengths)  # type: ignore[type-var]
    # Validation happens before the first step and after the last, hence between no two of them.
    settings = TrainSettings(
        sequences=steps,
        batch_size=1,
        validate_every=steps,
        validation_sequences=1,
        selection_sequences=1,
        weight_average=0.999,
    )
    model = contender.model(case)
    batch = TensorBatch.of(case.batch(1), torch.device("cpu"))
    forward_backward = training_step(model, batch)
    train(model, task, replace(settings, sequences=3), device="cpu")  # compiles what is to compile
    median_seconds(forward_backward, 3)
    loops, models, parts = [], [], []
    for _ in range(rounds):
        clock = StepClock()
        train(model, task, settings, device="cpu", monitor=clock)
        loops.append(clock.median_seconds())
        models.append(median_seconds(forward_backward, steps))
        parts.append(_parts(model, task, settings, steps))
    return TrainerCost(
        step=statistics.median(loops) * 1e3,
        model=statistics.median(models) * 1e3,
        parts={name: statistics.median(p[name] for p in parts) * 1e3 for name in parts[0]},
    )


def _parts(model: nn.Module, task: Task, settings: TrainSettings, steps: int) -> dict[str, float]:
    """Seconds of what a step does beside the model; the model must have a gradient."""
    batch = task.train_batch(0, 0, 1)
    cpu = torch.device("cpu")
    # A copy: the same gradient time and again leaves weights that no training would.
    weights = copy.deepcopy(model)
    for mine, theirs in zip(weights.parameters(), model.parameters(), strict=True):
        mine.grad = theirs.grad
    optimizer = make_optimizer(weights, settings)

    def draw() -> None:
        task.train_batch(0, 0, 1)

    def convert() -> None:
        TensorBatch.of(batch, cpu)

    def measure_norm() -> None:
        optimizer.gradient_norm()

    def update() -> None:
        optimizer.step(0, 1.0)

    named = {
        "drawing data": draw,
        "tensors": convert,
        "gradient norm": measure_norm,
        "optimizer": update,
    }
    return {name: median_seconds(part, steps) for name, part in named.items()}

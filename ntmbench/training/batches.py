"""The training batches, drawn a few ahead of their use."""

from __future__ import annotations

from collections import deque

import torch

from ntmbench.model import TensorBatch
from ntmbench.task import Task
from ntmbench.training.settings import TrainSettings

# Sequences drawn in a row: at most so many, and at most so many batches.
DRAWN_SEQUENCES = 1024
DRAWN_AHEAD = 64


class TrainingBatches:
    """The training batch of any step, which is a function of the step.

    After a step of the model the code that draws is no longer in the processor's caches, so that
    one batch takes four times as long as in a row. So several are drawn at once.
    """

    def __init__(
        self, task: Task, settings: TrainSettings, seed: int, device: torch.device
    ) -> None:
        """Draw nothing yet."""
        self._task = task
        self._size = settings.batch_size
        self._steps = settings.steps
        self._seed = seed
        self._device = device
        self._count = min(DRAWN_AHEAD, max(1, DRAWN_SEQUENCES // settings.batch_size))
        self._drawn: deque[TensorBatch] = deque()
        self._next = 0

    def at(self, step: int) -> TensorBatch:
        """The batch of a step; quick if the last call asked for the step before."""
        if step != self._next:
            self._drawn.clear()
        if not self._drawn:
            ahead = range(step, min(step + self._count, self._steps))
            drawn = [self._task.train_batch(self._seed, at, self._size) for at in ahead]
            self._drawn.extend(TensorBatch.of(batch, self._device) for batch in drawn)
        self._next = step + 1
        return self._drawn.popleft()

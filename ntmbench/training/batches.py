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

    Between two steps of a model the code that draws has left the processor's caches, and costs four
    times what it costs in a row. So several are drawn at once.
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
        """The batch of a step; quick where the last one asked for was that of the step before."""
        if step != self._next:
            self._drawn.clear()
        if not self._drawn:
            ahead = range(step, min(step + self._count, self._steps))
            drawn = [self._task.train_batch(self._seed, at, self._size) for at in ahead]
            self._drawn.extend(TensorBatch.of(batch, self._device) for batch in drawn)
        self._next = step + 1
        return self._drawn.popleft()

"""The task's own oracle as a model: the control that shows the best possible scores.

It goes through the same training, selection and evaluation as every other model, so that it reveals
a mistake in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntmbench.errors import ModelError
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model
from ntmbench.task import Task


@dataclass(frozen=True)
class OracleSettings:
    """Settings of the oracle: there are none."""


@register_model("oracle", settings=OracleSettings, causal=False, control=True)
class Oracle(SequenceModel):
    """The logits of the oracle's probabilities, times one trainable scale that starts at 1."""

    def __init__(self, input_width: int, output_width: int, settings: OracleSettings) -> None:
        """Begin without a task; see ``prepare``."""
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.task: Task | None = None

    def prepare(self, task: Task) -> None:
        """Take the task whose oracle answers."""
        self.task = task

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``.

        Raises:
            ModelError: if no task was given.
        """
        if self.task is None:
            raise ModelError("model=oracle needs the task that it is to solve: call prepare(task).")
        solved = self.task.oracle(inputs.detach().cpu().numpy())
        logits = self.task.answer.logits_of(torch.from_numpy(solved))
        return self.scale * logits.to(inputs)

"""A constant answer, found by training: the control that knows neither input nor place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntmbench.model import SequenceModel
from ntmbench.registry import register_model

# Above zero, so that the first answer is 1 everywhere. For fair bits that is as good as any answer.
# For a channel that is seldom 1 it is so bad that weights from before training are never selected.
FIRST_LOGIT = 1e-3


@dataclass(frozen=True)
class ConstantSettings:
    """Settings of the constant answer: there are none."""


@register_model("constant", settings=ConstantSettings, control=True)
class Constant(SequenceModel):
    """One logit for each output channel, whatever the input and the step."""

    def __init__(self, input_width: int, output_width: int, settings: ConstantSettings) -> None:
        """Start at a probability of a half."""
        super().__init__()
        self.logits = nn.Parameter(torch.full((output_width,), FIRST_LOGIT))

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        return self.logits.expand(*inputs.shape[:2], -1)

    def state_floats(self, steps: int) -> int:
        """Nothing is carried."""
        return 0

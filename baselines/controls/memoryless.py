"""A feedforward network on the current input alone: the control that must not solve a task."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ntmbench.errors import MAX_SIZE, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model


@dataclass(frozen=True)
class MemorylessSettings:
    """Settings of the memoryless control."""

    #: Units of the hidden layer.
    hidden_size: int = 128

    def __post_init__(self) -> None:
        """Check the range."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)


@register_model("memoryless", settings=MemorylessSettings, width="hidden_size", control=True)
class Memoryless(SequenceModel):
    """One hidden layer, applied to each step by itself."""

    def __init__(self, input_width: int, output_width: int, settings: MemorylessSettings) -> None:
        """Build the two layers."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(input_width, settings.hidden_size),
            nn.ReLU(),
            nn.Linear(settings.hidden_size, output_width),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        logits: Tensor = self.layers(inputs)
        return logits

    def state_floats(self, steps: int) -> int:
        """Nothing is carried."""
        return 0

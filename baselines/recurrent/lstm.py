"""Stacked LSTM over the whole sequence: the baseline of the NTM paper (section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from ntmbench.data.ranges import Range, searched
from ntmbench.errors import MAX_LAYERS, MAX_SIZE, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model


@dataclass(frozen=True)
class LSTMSettings:
    """Settings of the LSTM baseline."""

    #: Units of each layer.
    hidden_size: int = 71
    #: LSTM layers, each fed by the one below.
    layers: int = field(default=2, metadata=searched(Range(1, 3)))

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.layers", self.layers, 1, MAX_LAYERS)


@register_model("lstm", settings=LSTMSettings, width="hidden_size")
class LSTM(SequenceModel):
    """A stacked LSTM and a linear output layer."""

    def __init__(self, input_width: int, output_width: int, settings: LSTMSettings) -> None:
        """Build the layers; forget gates start open, as is usual since Gers et al. (2000)."""
        super().__init__()
        self.lstm = nn.LSTM(input_width, settings.hidden_size, settings.layers)
        self.output = nn.Linear(settings.hidden_size, output_width)
        open_forget_gates(self.lstm)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        hidden, _ = self.lstm(inputs)  # [T, B, hidden]
        logits: Tensor = self.output(hidden)  # [T, B, out]
        return logits

    def state_floats(self, steps: int) -> int:
        """Output and cell of each layer."""
        return 2 * self.lstm.num_layers * self.lstm.hidden_size


def open_forget_gates(lstm: nn.LSTM) -> None:
    """Set the forget gates' bias to 1: PyTorch orders the gates input, forget, cell, output."""
    for name, bias in lstm.named_parameters():
        if name.startswith("bias_ih"):
            forget = slice(lstm.hidden_size, 2 * lstm.hidden_size)
            nn.init.ones_(bias.data[forget])

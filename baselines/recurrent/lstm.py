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
    """A stacked LSTM and a linear output layer.

    With input x_t, the output h_t and the cell c_t of a layer, and h_0 = c_0 = 0::

        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)           the input gate
        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)           the forget gate (Gers et al. 2000)
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)              what may be written
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)           the output gate
        c_t = f_t * c_{t-1} + i_t * g_t
        h_t = o_t * tanh(c_t)
        y_t = V h_t + d

    A further layer has the h_t of the one below for x_t. There are no peepholes, through which the
    gates would see the cell. The weights are drawn as PyTorch does, which has each b as a sum of
    two; b_f starts near 1, so that a cell is kept at first.
    """

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

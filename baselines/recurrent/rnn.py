"""Simple recurrent network (Elman 1990): one hidden state, rewritten at every step."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from ntmbench.data.ranges import Range, searched
from ntmbench.errors import MAX_LAYERS, MAX_SIZE, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model


@dataclass(frozen=True)
class RNNSettings:
    """Settings of the simple recurrent network."""

    #: Units of each layer.
    hidden_size: int = 240
    #: Recurrent layers, each fed by the one below.
    layers: int = field(default=1, metadata=searched(Range(1, 3)))

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.layers", self.layers, 1, MAX_LAYERS)


@register_model("rnn", settings=RNNSettings, width="hidden_size")
class RNN(SequenceModel):
    """A stack of simple recurrent layers and a linear output layer.

    With input x_t, the hidden state h_t of a layer, and h_0 = 0::

        h_t = tanh(W x_t + b + U h_{t-1} + c)
        y_t = V h_t + d

    A further layer has the h_t of the one below for x_t. The weights are drawn as PyTorch does.
    """

    def __init__(self, input_width: int, output_width: int, settings: RNNSettings) -> None:
        """Build the layers."""
        super().__init__()
        self.rnn = nn.RNN(input_width, settings.hidden_size, settings.layers)
        self.output = nn.Linear(settings.hidden_size, output_width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        hidden, _ = self.rnn(inputs)  # [T, B, hidden]
        logits: Tensor = self.output(hidden)  # [T, B, out]
        return logits

    def state_floats(self, steps: int) -> int:
        """The hidden state of each layer."""
        return self.rnn.num_layers * self.rnn.hidden_size

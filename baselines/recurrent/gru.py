"""Gated recurrent units (Cho et al. 2014): a hidden state that gates keep or renew."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from ntmbench.data.ranges import Range, searched
from ntmbench.errors import MAX_LAYERS, MAX_SIZE, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model


@dataclass(frozen=True)
class GRUSettings:
    """Settings of the network of gated recurrent units."""

    #: Units of each layer.
    hidden_size: int = 138
    #: Recurrent layers, each fed by the one below.
    layers: int = field(default=1, metadata=searched(Range(1, 3)))

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.layers", self.layers, 1, MAX_LAYERS)


@register_model("gru", settings=GRUSettings, width="hidden_size")
class GRU(SequenceModel):
    """A stack of layers of gated recurrent units and a linear output layer.

    With input x_t, the hidden state h_t of a layer, and h_0 = 0::

        r_t = sigmoid(W_r x_t + b_r + U_r h_{t-1} + c_r)           the reset gate   (equation 5)
        z_t = sigmoid(W_z x_t + b_z + U_z h_{t-1} + c_z)           the update gate  (equation 6)
        n_t = tanh(W_n x_t + b_n + r_t * (U_n h_{t-1} + c_n))      what is new      (equation 8)
        h_t = (1 - z_t) * n_t + z_t * h_{t-1}                                       (equation 7)
        y_t = V h_t + d

    The paper (section 2.3) has U (r_t * h_{t-1}) in n_t, and no biases. PyTorch, and this model,
    reset after the product. A further layer has the h_t of the one below for x_t. The weights are
    drawn as PyTorch does.
    """

    def __init__(self, input_width: int, output_width: int, settings: GRUSettings) -> None:
        """Build the layers."""
        super().__init__()
        self.gru = nn.GRU(input_width, settings.hidden_size, settings.layers)
        self.output = nn.Linear(settings.hidden_size, output_width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        hidden, _ = self.gru(inputs)  # [T, B, hidden]
        logits: Tensor = self.output(hidden)  # [T, B, out]
        return logits

    def state_floats(self, steps: int) -> int:
        """The hidden state of each layer."""
        return self.gru.num_layers * self.gru.hidden_size

"""sLSTM, the scalar memory of the xLSTM (Beck et al. 2024)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntmbench.baselines.linear.blocks import (
    Block,
    BlockModel,
    ConvolutionSettings,
    Mixer,
    ShortConvolution,
    head_size,
)
from ntmbench.baselines.linear.xlstm_parts import GatedGELU, GroupedLinear, HeadNorm
from ntmbench.engine.slstm_cells import slstm_cells
from ntmbench.registry import register_model


@dataclass(frozen=True)
class SLSTMSettings(ConvolutionSettings):
    """Settings of the sLSTM."""


class SLSTMMixer(Mixer):
    """An sLSTM layer: a convolution, the cell, and a norm per head."""

    def __init__(self, channels: int, heads: int, kernel_size: int, depth: float) -> None:
        """Build the maps; ``depth``, from 0 (the lowest layer) to 1, sets how gates forget."""
        super().__init__()
        self.heads, self.size = heads, channels // heads
        self.convolution = ShortConvolution(channels, kernel_size, bias=True)
        self.input_gate = GroupedLinear(channels, heads, channels)
        self.forget_gate = GroupedLinear(channels, heads, channels)
        self.cell_input = GroupedLinear(channels, heads, channels)
        self.output_gate = GroupedLinear(channels, heads, channels)
        # R and b of input gate, forget gate, cell input and output gate, per head.
        self.recurrent = nn.Parameter(torch.zeros(heads, self.size, 4 * self.size))
        self.bias = nn.Parameter(torch.zeros(heads, 4, self.size))
        self.norm = HeadNorm(channels)
        spread = torch.arange(self.size) / max(self.size - 1, 1)
        with torch.no_grad():
            self.bias[:, 1] = 5 - 12 * spread ** (0.3 + 1.3 * depth)

    @property
    def state_floats(self) -> int:
        """c, n, m and h of each cell, and what the convolution keeps."""
        state: int = 4 * self.heads * self.size + self.convolution.state_floats
        return state

    def forward(self, hidden: Tensor) -> Tensor:
        """Map ``[T, B, channels]`` to the same shape."""
        convolved = self.convolution(hidden)
        seen = torch.stack(
            [
                self.input_gate(convolved),
                self.forget_gate(convolved),
                self.cell_input(hidden),
                self.output_gate(hidden),
            ],
            dim=3,
        )  # [T, B, channels, 4]
        seen = seen.view(*hidden.shape[:2], self.heads, self.size, 4)  # [T, B, H, size, 4]
        seen = seen.transpose(3, 4) + self.bias  # [T, B, H, 4, size]
        outputs = slstm_cells(seen, self.recurrent)  # [T, B, H, size]
        normed: Tensor = self.norm(outputs)  # [T, B, channels]
        return normed


@register_model("slstm", settings=SLSTMSettings, width="hidden_size")
class SLSTM(BlockModel):
    """An LSTM with exponential gates, whose cells of a head are mixed by recurrent weights.

    i~_t, f~_t, z~_t and o~_t are each W x_t + R h_{t-1} + b, with weights of their own. R mixes the
    cells of one head (section 2.2)::

        z_t = tanh(z~_t)                        (equation 11)
        i_t = exp(i~_t)                         (equation 12)
        f_t = sigmoid(f~_t)                     (equation 13, which also allows exp)
        o_t = sigmoid(o~_t)                     (equation 14)
        c_t = f_t c_{t-1} + i_t z_t             (equation 8)
        n_t = f_t n_{t-1} + i_t                 (equation 9)
        h_t = o_t c_t / n_t                     (equation 10)

    i and f are stabilised, which leaves h_t as it is: i' and f' take their place::

        m_t  = max(log f_t + m_{t-1}, i~_t)     (equation 15)
        i'_t = exp(i~_t - m_t)                  (equation 16)
        f'_t = exp(log f_t + m_{t-1} - m_t)     (equation 17)

    A block convolves what the gates i and f see, normalises each head, and adds a gated feedforward
    network of 4/3 of the hidden size. R starts at 0, and the biases of the forget gates from 5 to
    -7. There are as many cells as the hidden size, rounded up to a multiple of the heads.
    """

    def __init__(self, input_width: int, output_width: int, settings: SLSTMSettings) -> None:
        """Build the blocks."""
        heads, layers = settings.heads, settings.layers
        size = heads * head_size(settings.hidden_size, heads)
        blocks = [
            Block(
                size,
                SLSTMMixer(size, heads, settings.kernel_size, layer / max(layers - 1, 1)),
                GatedGELU(size, math.ceil(4 * settings.hidden_size / 3), layers),
                center=True,
            )
            for layer in range(layers)
        ]
        super().__init__(input_width, output_width, size, blocks, center=True)

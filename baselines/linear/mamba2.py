"""Mamba 2 (Dao and Gu 2024): a state space model whose heads forget at a rate of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import (
    EPSILON,
    Block,
    BlockModel,
    ConvolutionSettings,
    MatrixMixer,
    Operands,
    ShortConvolution,
    head_size,
)
from ntmbench.baselines.linear.timescales import log_rates, step_bias
from ntmbench.data.ranges import Choice, searched
from ntmbench.errors import MAX_SIZE, check_range
from ntmbench.registry import register_model

MAX_EXPANSION = 64


@dataclass(frozen=True)
class Mamba2Settings(ConvolutionSettings):
    """Settings of Mamba 2."""

    #: Numbers that the state keeps for each channel, N: the length of B and C.
    state_size: int = field(default=64, metadata=searched(Choice((16, 64, 128))))
    #: How many times the hidden size the heads are together, rounded up.
    expansion: float = 2.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range("model.state_size", self.state_size, 1, MAX_SIZE)
        check_range("model.expansion", self.expansion, 0, MAX_EXPANSION, above=0)


class Mamba2Mixer(MatrixMixer):
    """A layer of Mamba 2, whose B and C are the same for all heads."""

    def __init__(self, settings: Mamba2Settings) -> None:
        """Build the linear maps; A is uniform between 1 and 16, steps are .001 to .1 long."""
        super().__init__()
        self.heads, self.columns = settings.heads, settings.state_size
        self.size = head_size(settings.expansion * settings.hidden_size, self.heads)
        inner = self.heads * self.size
        self.parts = inner, inner + 2 * self.columns, self.heads
        self.up = nn.Linear(settings.hidden_size, sum(self.parts), bias=False)
        self.convolution = ShortConvolution(self.parts[1], settings.kernel_size, bias=True)
        self.step_bias = nn.Parameter(step_bias(self.heads))
        self.log_rates = nn.Parameter(log_rates(self.heads, (1, 16)))
        self.direct = nn.Parameter(torch.ones(self.heads))
        self.norm = nn.RMSNorm(inner, eps=EPSILON)
        self.down = nn.Linear(inner, settings.hidden_size, bias=False)

    @property
    def state_floats(self) -> int:
        """The matrices, and what the convolution keeps."""
        state: int = self.heads * self.size * self.columns + self.convolution.state_floats
        return state

    def operands(self, hidden: Tensor) -> Operands:
        """C is the query, B the key, and the step's length times x the value."""
        gate, convolved, step = self.up(hidden).split(self.parts, dim=2)
        inner, key, query = self.convolution(convolved).split(
            (self.parts[0], self.columns, self.columns), dim=2
        )
        inner = inner.view(*inner.shape[:2], self.heads, self.size)  # [T, B, H, P]
        key, query = (part.unsqueeze(2).expand(-1, -1, self.heads, -1) for part in (key, query))
        step = functional.softplus(step + self.step_bias)  # [T, B, H]
        return Operands(
            query,
            key,
            step.unsqueeze(3) * inner,
            decay=torch.exp(-self.log_rates.exp() * step),
            beside=(inner, gate),
        )

    def read(self, hidden: Tensor, operands: Operands, answers: Tensor) -> Tensor:
        """Add the direct way, gate, normalise and project down."""
        inner, gate = operands.beside
        read = (answers + self.direct.unsqueeze(1) * inner).flatten(2)  # [T, B, H * P]
        mapped: Tensor = self.down(self.norm(read * functional.silu(gate)))
        return mapped


@register_model("mamba2", settings=Mamba2Settings, width="hidden_size")
class Mamba2(BlockModel):
    """A linear recurrence whose steps are as long as the input says.

    With the channels x_t of a head, its step d_t = softplus(w^T u_t + c) and its rate A, and with
    B_t and C_t, of N numbers, shared by all heads::

        S_t = exp(-A d_t) S_{t-1} + d_t x_t B_t^T
        y_t = S_t C_t + D x_t

    x, B and C pass through a short convolution and SiLU; y is gated by SiLU(z), normalised and
    projected down. There is no feedforward network. As in the paper's code, A starts uniform
    between 1 and 16, D at 1, c so that steps are between 0.001 and 0.1, log-uniform, and the heads
    have twice the hidden size together. Its N is 128 and its heads have 64 channels; here N is 64
    and the number of heads is given, as models are small.
    """

    def __init__(self, input_width: int, output_width: int, settings: Mamba2Settings) -> None:
        """Build the blocks."""
        size = settings.hidden_size
        blocks = [Block(size, Mamba2Mixer(settings)) for _ in range(settings.layers)]
        super().__init__(input_width, output_width, size, blocks)

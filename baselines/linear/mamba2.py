"""Mamba 2 (Dao and Gu 2024): a state space model whose heads forget at a rate of their own."""

from __future__ import annotations

import math
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
        """Build the linear maps; A is uniform between 1 and 16, Delta is .001 to .1."""
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
        with torch.no_grad():
            self.down.weight /= math.sqrt(settings.layers)

    @property
    def state_floats(self) -> int:
        """The matrices, and what the convolution keeps."""
        state: int = self.heads * self.size * self.columns + self.convolution.state_floats
        return state

    def operands(self, hidden: Tensor) -> Operands:
        """C is the query, B the key, and Delta x the value."""
        made = self.up(hidden)  # [T, B, 2 * H * P + 2 * N + H]
        # [T, B, H * P], [T, B, H * P + 2 * N] and [T, B, H]
        gate, convolved, step = made.split(self.parts, dim=2)
        # [T, B, H * P], [T, B, N] and [T, B, N]
        inner, key, query = self.convolution(convolved).split(
            (self.parts[0], self.columns, self.columns), dim=2
        )
        inner = inner.view(*inner.shape[:2], self.heads, self.size)  # [T, B, H, P]
        key = key.unsqueeze(2).expand(-1, -1, self.heads, -1)  # [T, B, H, N]
        query = query.unsqueeze(2).expand(-1, -1, self.heads, -1)  # [T, B, H, N]
        step = functional.softplus(step + self.step_bias)
        return Operands(
            query,
            key,
            step.unsqueeze(3) * inner,  # [T, B, H, P]
            decay=torch.exp(-self.log_rates.exp() * step),  # [T, B, H]
            beside=(inner, gate),
        )

    def read(self, hidden: Tensor, operands: Operands, answers: Tensor) -> Tensor:
        """Add the direct way, gate, normalise and project down."""
        inner, gate = operands.beside
        read = (answers + self.direct.unsqueeze(1) * inner).flatten(2)  # [T, B, H * P]
        mapped: Tensor = self.down(self.norm(read * functional.silu(gate)))  # [T, B, hidden]
        return mapped


@register_model("mamba2", settings=Mamba2Settings, width="hidden_size", version=2)
class Mamba2(BlockModel):
    """A linear recurrence whose steps are as long as the input says.

    With the channels x_t of a head, its step Delta_t and its rate A, and with B_t and C_t, of N
    numbers, shared by all heads (equation 20)::

        Delta_t = softplus(w^T u_t + c)
        h_t     = exp(-A Delta_t) h_{t-1} + Delta_t x_t B_t^T
        y_t     = h_t C_t + D x_t

    This is equation 2 with the matrix A_t a number times the identity (section 2.4), for all
    channels of a head at once, and made discrete as in Mamba (Gu and Dao 2023). x, B and C pass
    through a short convolution and SiLU; y is gated by SiLU(z), normalised and projected down
    (section 7.1). There is no feedforward network. As in the paper's code, A starts uniform between
    1 and 16, D at 1, c so that Delta is between 0.001 and 0.1, log-uniform, the heads have twice
    the hidden size together, and the maps down are divided by the square root of the number of
    blocks. Its N is 128 and its heads have 64 channels; here N is 64 and the number of heads is
    given, as models are small.
    """

    def __init__(self, input_width: int, output_width: int, settings: Mamba2Settings) -> None:
        """Build the blocks."""
        size = settings.hidden_size
        blocks = [Block(size, Mamba2Mixer(settings)) for _ in range(settings.layers)]
        super().__init__(input_width, output_width, size, blocks)

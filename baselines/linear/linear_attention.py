"""Linear attention (Katharopoulos et al. 2020): a transformer whose attention is a sum."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import (
    Block,
    BlockModel,
    BlockSettings,
    MatrixMixer,
    Operands,
    SwiGLU,
    head_size,
)
from ntmbench.errors import check_choice
from ntmbench.registry import register_model

POSITIONS = ("sinusoidal", "none")


@dataclass(frozen=True)
class LinearAttentionSettings(BlockSettings):
    """Settings of linear attention."""

    #: How a step tells its place, which attention alone does not: sinusoidal or none.
    positions: str = "sinusoidal"

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_choice("model.positions", self.positions, POSITIONS)


class LinearAttentionMixer(MatrixMixer):
    """Linear attention with several heads."""

    def __init__(self, hidden_size: int, heads: int) -> None:
        """Build the linear maps, initialised as PyTorch does."""
        super().__init__()
        self.heads, self.size = heads, head_size(hidden_size, heads)
        self.projections = nn.Linear(hidden_size, 3 * heads * self.size, bias=False)
        self.output = nn.Linear(heads * self.size, hidden_size, bias=False)

    @property
    def state_floats(self) -> int:
        """S and z of each head."""
        floats: int = self.heads * self.size * (self.size + 1)
        return floats

    def operands(self, hidden: Tensor) -> Operands:
        """Queries and keys are positive; a column of ones in the values makes z a row of S."""
        made = self.projections(hidden)  # [T, B, 3 * H * size]
        made = made.unflatten(2, (3, self.heads, self.size))  # [T, B, 3, H, size]
        query, key, value = made.unbind(dim=2)  # [T, B, H, size] each
        ones = torch.ones_like(value[..., :1])  # [T, B, H, 1]
        value = torch.cat([value, ones], dim=3)  # [T, B, H, size + 1]
        return Operands(functional.elu(query) + 1, functional.elu(key) + 1, value, normalized=True)

    def read(self, hidden: Tensor, operands: Operands, answers: Tensor) -> Tensor:
        """Divide by z^T phi(q), and mix the heads."""
        sums, weight = answers[..., :-1], answers[..., -1:]  # [T, B, H, size] and [T, B, H, 1]
        read = (sums / weight.clamp_min(1e-6)).flatten(2)  # [T, B, H * size]
        mixed: Tensor = self.output(read)  # [T, B, hidden]
        return mixed


@register_model("linear_attention", settings=LinearAttentionSettings, width="hidden_size")
class LinearAttention(BlockModel):
    """Attention without a softmax, so that keys and values can be added up.

    With queries, keys and values q_t, k_t, v_t of a head (section 3.4, with S for the transpose of
    the paper's s)::

        phi(x) = elu(x) + 1                             (equation 7)
        S_t    = S_{t-1} + v_t phi(k_t)^T               (equation 18)
        z_t    = z_{t-1} + phi(k_t)                     (equation 19)
        o_t    = S_t phi(q_t) / (z_t^T phi(q_t))        (in equation 20)

    z is a further row of S, that of a value which is always 1. Blocks are those of a transformer,
    with norms before the parts and SwiGLU. Sinusoidal positions (Vaswani et al. 2017, section 3.5)
    are added to the inputs, as the sum has no order; they go on beyond any length.
    """

    def __init__(
        self, input_width: int, output_width: int, settings: LinearAttentionSettings
    ) -> None:
        """Build the blocks."""
        size = settings.hidden_size
        blocks = (feedforward_block(size, settings.heads) for _ in range(settings.layers))
        super().__init__(input_width, output_width, size, blocks)
        self.positions = settings.positions

    def embed(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to ``[T, B, hidden]``, with positions added."""
        hidden: Tensor = super().embed(inputs)
        if self.positions == "sinusoidal":
            hidden = hidden + sinusoids(len(hidden), hidden.shape[2]).to(hidden).unsqueeze(1)
        return hidden


def feedforward_block(hidden_size: int, heads: int) -> Block:
    """A block of linear attention and SwiGLU."""
    return Block(hidden_size, LinearAttentionMixer(hidden_size, heads), SwiGLU(hidden_size))


def sinusoids(steps: int, size: int) -> Tensor:
    """Sines and cosines of waves from 2 pi to 20,000 pi steps long: ``[steps, size]``."""
    pairs = torch.arange((size + 1) // 2, dtype=torch.float64)
    rates = torch.exp(-2 * math.log(10000.0) * pairs / size)
    angles = torch.arange(steps, dtype=torch.float64).unsqueeze(1) * rates  # [steps, pairs]
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :size]

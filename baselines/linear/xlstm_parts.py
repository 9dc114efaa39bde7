"""What mLSTM and sLSTM share: maps of groups of channels, a norm per head, how weights start."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import EPSILON


class GroupedLinear(nn.Module):
    """A linear map of each group of channels by itself, without bias."""

    def __init__(self, channels: int, groups: int, scale_by: int) -> None:
        """Build a square map per group, started small for ``scale_by`` channels."""
        super().__init__()
        size = channels // groups
        self.weight = nn.Parameter(torch.empty(groups, size, size))
        start_small(self.weight, scale_by)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map ``[T, B, channels]`` to the same shape."""
        groups, size, _ = self.weight.shape
        split = inputs.reshape(-1, groups, size).transpose(0, 1)  # [groups, T * B, size]
        mapped = torch.bmm(split, self.weight.mT)  # [groups, T * B, size]
        return mapped.transpose(0, 1).reshape(inputs.shape)


class HeadNorm(nn.Module):
    """A LayerNorm of each head by itself, with a factor per channel and without bias."""

    def __init__(self, channels: int) -> None:
        """Start with factors of 1."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, heads: Tensor) -> Tensor:
        """Map ``[T, B, H, size]`` to ``[T, B, H * size]``."""
        normed = functional.layer_norm(heads, heads.shape[3:], eps=EPSILON)
        return normed.flatten(2) * self.weight


class GatedGELU(nn.Module):
    """A gated feedforward network, W_2 (GELU(W_g x) * W_1 x)."""

    def __init__(self, hidden_size: int, inner: int, layers: int) -> None:
        """Build the linear maps, started as in the xLSTM."""
        super().__init__()
        self.up = nn.Linear(hidden_size, 2 * inner, bias=False)
        self.down = nn.Linear(inner, hidden_size, bias=False)
        start_small(self.up.weight, hidden_size)
        start_by_depth(self.down.weight, hidden_size, layers)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map ``[T, B, hidden]`` to the same shape."""
        gate, inner = self.up(hidden).chunk(2, dim=2)  # [T, B, inner] each
        mapped: Tensor = self.down(functional.gelu(gate) * inner)  # [T, B, hidden]
        return mapped


def start_small(weight: Tensor, channels: int) -> None:
    """Draw from a normal distribution of variance 2 / (5 channels) (Nguyen and Salazar 2019)."""
    nn.init.normal_(weight, std=math.sqrt(2 / (5 * channels)))


def start_by_depth(weight: Tensor, channels: int, layers: int) -> None:
    """Draw from a normal distribution of deviation 2 / (layers sqrt(channels))."""
    nn.init.normal_(weight, std=2 / layers / math.sqrt(channels))

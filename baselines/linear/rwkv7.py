"""RWKV-7 (Peng et al. 2025): a generalised delta rule with gates for every channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import (
    Block,
    BlockModel,
    BlockSettings,
    MatrixMixer,
    Mixer,
    Operands,
    head_size,
)
from ntmbench.data.ranges import Choice, searched
from ntmbench.errors import MAX_SIZE, check_range
from ntmbench.registry import register_model

#: Added to the variance of a head.
HEAD_EPSILON = 64e-5
#: A factor w is never less than exp(-FASTEST), with FASTEST = exp(-1/2).
FASTEST = 0.6065306597126334


@dataclass(frozen=True)
class RWKV7Settings(BlockSettings):
    """Settings of RWKV-7."""

    #: Inner size of the maps of low rank that make the gates; 32 is the least of the paper's code.
    rank: int = field(default=32, metadata=searched(Choice((8, 16, 32))))

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range("model.rank", self.rank, 1, MAX_SIZE)


class LowRank(nn.Module):
    """A map W_2 f(W_1 x) of low rank, which starts at 0."""

    def __init__(self, hidden_size: int, rank: int, outputs: int) -> None:
        """Start W_1 at 0 and W_2 orthogonal, times a tenth."""
        super().__init__()
        self.down = nn.Parameter(torch.zeros(hidden_size, rank))
        self.up = nn.Parameter(torch.empty(rank, outputs))
        nn.init.orthogonal_(self.up, gain=0.1 * math.sqrt(max(rank / outputs, 1)))

    def forward(self, inputs: Tensor, squash: str = "none") -> Tensor:
        """Map ``[T, B, hidden]`` to ``[T, B, outputs]``; ``squash`` is none, tanh or sigmoid."""
        inner = inputs @ self.down  # [T, B, rank]
        if squash != "none":
            inner = torch.tanh(inner) if squash == "tanh" else torch.sigmoid(inner)
        return inner @ self.up  # [T, B, outputs]


def shifted(hidden: Tensor) -> Tensor:
    """What was at the step before, minus what is at each step: ``[T, B, hidden]``."""
    return functional.pad(hidden[:-1], (0, 0, 0, 0, 1, 0)) - hidden


def shares_of_step_before(hidden_size: int, power: float) -> Tensor:
    """How much a channel sees of the step before, at the start: the first most, the last least."""
    return 1 - (torch.arange(hidden_size) / hidden_size) ** power


class RWKV7Mixer(MatrixMixer):
    """Time mixing."""

    def __init__(self, settings: RWKV7Settings, layer: int) -> None:
        """Build the maps, started as in the paper's code; ``layer`` counts from 0."""
        super().__init__()
        hidden_size, rank = settings.hidden_size, settings.rank
        self.heads, self.size = settings.heads, head_size(hidden_size, settings.heads)
        channels = self.heads * self.size
        above = layer / max(settings.layers - 1, 1)
        below = 1 - layer / settings.layers
        powers = (0.2, 0.9, 0.7, 0.7, 0.9, 0.2)  # of r, w, k, v, a and g
        self.mixing = nn.Parameter(
            torch.stack([shares_of_step_before(hidden_size, power * below) for power in powers])
        )
        self.receptance = nn.Linear(hidden_size, channels, bias=False)
        self.key = nn.Linear(hidden_size, channels, bias=False)
        self.value = nn.Linear(hidden_size, channels, bias=False)
        self.decay = LowRank(hidden_size, rank, channels)
        self.rate = LowRank(hidden_size, rank, channels)
        self.gate = LowRank(hidden_size, rank, channels)
        rising = torch.arange(channels) / max(channels - 1, 1)
        center = max((self.size - 1) / 2, 0.5)
        within = (torch.arange(channels) % self.size - (self.size - 1) / 2) / center
        zigzag = within * within.abs()
        self.decay_bias = nn.Parameter(-5.5 + 6 * rising ** (1 + above**0.3) + 2.5 * zigzag)
        self.rate_bias = nn.Parameter(-0.19 + 0.3 * zigzag + 0.4 * (rising - 0.5))
        if layer > 0:
            self.residual = LowRank(hidden_size, rank, channels)
            self.residual_bias = nn.Parameter(0.73 - 0.4 * (rising - 0.5))
        self.layer = layer
        self.removal = nn.Parameter(0.71 - 0.1 * (rising - 0.5))
        self.replacement = nn.Parameter(torch.full((channels,), 1.02))
        self.bonus = nn.Parameter(torch.full((self.heads, self.size), -0.04))
        self.norm = nn.GroupNorm(self.heads, channels, eps=HEAD_EPSILON)
        self.output = nn.Linear(channels, hidden_size, bias=False)
        for linear, gain in ((self.receptance, 1), (self.key, 0.1), (self.value, 1)):
            nn.init.orthogonal_(linear.weight, gain=gain)
        nn.init.constant_(self.norm.weight, ((layer + 1) / settings.layers) ** 0.7)
        nn.init.zeros_(self.output.weight)

    @property
    def state_floats(self) -> int:
        """The matrices, and the step before."""
        state: int = self.heads * self.size**2 + self.mixing.shape[1]
        return state

    def operands(self, hidden: Tensor) -> Operands:
        """The diagonal decay w, and what is erased: under the removal key, at the rate a."""
        before = shifted(hidden)
        seen = [hidden + before * mixing for mixing in self.mixing]  # six of [T, B, hidden]
        decay = torch.sigmoid(self.decay_bias + self.decay(seen[1], "tanh"))  # [T, B, H * size]
        rate = torch.sigmoid(self.rate_bias + self.rate(seen[4]))  # [T, B, H * size]
        key = self.key(seen[2])  # [T, B, H * size]
        removed = self._by_heads(key * self.removal)  # [T, B, H, size]
        removed = functional.normalize(removed, dim=3)
        query = self._by_heads(self.receptance(seen[0]))  # [T, B, H, size]
        key = self._by_heads(key * (1 + (rate - 1) * self.replacement))  # [T, B, H, size]
        value = self._by_heads(self.value(seen[3]))  # [T, B, H, size]
        beside = [self.gate(seen[5], "sigmoid")]  # [T, B, H * size]
        if self.layer > 0:
            taken = torch.sigmoid(self.residual_bias + self.residual(seen[3]))  # [T, B, H * size]
            beside.append(self._by_heads(taken))  # [T, B, H, size]
        return Operands(
            query,
            key,
            value,
            decay=self._by_heads(torch.exp(-FASTEST * decay)),  # [T, B, H, size]
            erase=(removed, removed * self._by_heads(rate)),  # [T, B, H, size] each
            beside=tuple(beside),
        )

    def operands_above(self, hidden: Tensor, lower: Sequence[Operands]) -> Operands:
        """The operands; above the first layer, a share of each value is the first layer's."""
        made = self.operands(hidden)
        if self.layer == 0:
            return made
        value, taken = made.value, made.beside[1]
        return replace(made, value=value + (lower[0].value - value) * taken)

    def read(self, hidden: Tensor, operands: Operands, answers: Tensor) -> Tensor:
        """Normalise each head, add the current value, gate, and mix the heads."""
        gate = operands.beside[0]
        together = answers.flatten(0, 1).flatten(1)  # [T * B, H * size]
        read = self.norm(together).view(gate.shape)  # [T, B, H * size]
        alike = operands.query * operands.key * self.bonus  # [T, B, H, size]
        weight = alike.sum(dim=3, keepdim=True)  # [T, B, H, 1]
        read = read + (weight * operands.value).flatten(2)  # [T, B, H * size]
        mixed: Tensor = self.output(read * gate)  # [T, B, hidden]
        return mixed

    def _by_heads(self, made: Tensor) -> Tensor:
        """``[T, B, H * size]`` as ``[T, B, H, size]``."""
        return made.view(*made.shape[:2], self.heads, self.size)


class ChannelMixer(Mixer):
    """The feedforward network W_2 relu(W_1 x')^2, where x' sees the step before."""

    def __init__(self, hidden_size: int, below: float) -> None:
        """Build the maps, started as in the paper's code."""
        super().__init__()
        self.mixing = nn.Parameter(shares_of_step_before(hidden_size, below**4))
        self.up = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.down = nn.Linear(4 * hidden_size, hidden_size, bias=False)
        nn.init.orthogonal_(self.up.weight)
        nn.init.zeros_(self.down.weight)

    @property
    def state_floats(self) -> int:
        """The step before."""
        return len(self.mixing)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map ``[T, B, hidden]`` to the same shape."""
        seen = hidden + shifted(hidden) * self.mixing
        inner = torch.relu(self.up(seen)).square()  # [T, B, 4 * hidden]
        mapped: Tensor = self.down(inner)  # [T, B, hidden]
        return mapped


@register_model("rwkv7", settings=RWKV7Settings, width="hidden_size", version=2)
class RWKV7(BlockModel):
    """A matrix state that decays and is corrected channel by channel.

    With receptance, key and value r_t, k_t, v_t of a head as columns (the paper has rows), the
    decay w_t and the in-context learning rate a_t, both a number per channel, and * between
    channels (section 4.1)::

        kappa_t = xi * k_t, divided by its length                       (equations 6 and 15)
        k~_t = k_t * (1 + (a_t - 1) * alpha)                            (equation 7)
        w_t  = exp(-exp(-1/2) sigmoid(d_t))                             (equation 12)
        S_t  = S_{t-1} (diag(w_t) - kappa_t (a_t * kappa_t)^T) + v_t k~_t^T     (equation 17)
        p_t  = norm(S_t r_t) + (r_t^T (rho * k~_t)) v_t                 (equations 20 and 21)
        o_t  = W_o (g_t * p_t)                                          (equation 22)

    d_t, a_t (by a sigmoid) and the gate g_t are maps of low rank (equations 4, 11 and 14). Each of
    r, d, k, v, a and g sees a mixture of its own of x_t and x_{t-1} (equation 3). Above the first
    layer, v_t + (v'_t - v_t) * nu_t takes the place of v_t, where v'_t is the first layer's and
    nu_t, by a sigmoid, a map of low rank too. (So it is in the paper's code; in equations 8 and 10
    the sigmoid gives the other share, 1 - nu_t.) Blocks alternate with a feedforward network of
    squared ReLUs that sees such a mixture too (section 4.2).

    Weights start as ``generate_init_weight`` in RWKV-v7/train_temp/src/model.py of BlinkDL/RWKV-LM
    has them. Receptance, values and the first map of the feedforward network are orthogonal, keys
    orthogonal times 0.1, the last maps of both parts 0. The factors of the norm of the heads are
    ((l + 1) / L)^0.7 in layer l of L, counted from 0. The map to the logits is orthogonal times
    0.5, and times the root of outputs / hidden size if there are more outputs. What differs: the
    embedding is a linear map of channels that starts as in PyTorch, without a LayerNorm after it,
    the LayerNorms have no bias, the map to the logits has one, from 0, and all maps of low rank
    have the same rank.
    """

    def __init__(self, input_width: int, output_width: int, settings: RWKV7Settings) -> None:
        """Build the blocks."""
        size, layers = settings.hidden_size, settings.layers
        blocks = [
            Block(
                size,
                RWKV7Mixer(settings, layer),
                ChannelMixer(size, 1 - layer / layers),
                center=True,
            )
            for layer in range(layers)
        ]
        super().__init__(input_width, output_width, size, blocks, center=True)
        gain = 0.5 * math.sqrt(max(output_width / size, 1))
        nn.init.orthogonal_(self.output.weight, gain=gain)
        nn.init.zeros_(self.output.bias)

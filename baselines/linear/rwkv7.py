"""RWKV-7 (Peng et al. 2025): a generalised delta rule with gates for every channel."""

from __future__ import annotations

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
        """Start W_1 at 0 and W_2 orthogonal."""
        super().__init__()
        self.down = nn.Parameter(torch.zeros(hidden_size, rank))
        self.up = nn.Parameter(nn.init.orthogonal_(torch.empty(rank, outputs), gain=0.1))

    def forward(self, inputs: Tensor, squash: str = "none") -> Tensor:
        """Map ``[T, B, hidden]`` to ``[T, B, outputs]``; ``squash`` is none, tanh or sigmoid."""
        inner = inputs @ self.down
        if squash != "none":
            inner = torch.tanh(inner) if squash == "tanh" else torch.sigmoid(inner)
        return inner @ self.up


def shifted(hidden: Tensor) -> Tensor:
    """What was at the step before, minus what is at each step: ``[T, B, hidden]``."""
    return functional.pad(hidden[:-1], (0, 0, 0, 0, 1, 0)) - hidden


def shares_of_step_before(hidden_size: int, power: float) -> Tensor:
    """How much a channel sees of the step before, at the start: the first most, the last least."""
    return 1 - (torch.arange(hidden_size) / hidden_size) ** power


class RWKV7Mixer(MatrixMixer):
    """Time mixing."""

    def __init__(self, settings: RWKV7Settings, layer: int) -> None:
        """Build the maps, started as in the paper's code."""
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
        for linear, limit in ((self.receptance, 0.5), (self.key, 0.05), (self.value, 0.5)):
            nn.init.uniform_(linear.weight, -limit / hidden_size**0.5, limit / hidden_size**0.5)
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
        decay = torch.sigmoid(self.decay_bias + self.decay(seen[1], "tanh"))
        rate = torch.sigmoid(self.rate_bias + self.rate(seen[4]))
        key = self.key(seen[2])
        removed = functional.normalize(self._by_heads(key * self.removal), dim=3)
        query = self._by_heads(self.receptance(seen[0]))
        key = self._by_heads(key * (1 + (rate - 1) * self.replacement))
        value = self._by_heads(self.value(seen[3]))
        beside = [self.gate(seen[5], "sigmoid")]
        if self.layer > 0:
            taken = torch.sigmoid(self.residual_bias + self.residual(seen[3]))
            beside.append(self._by_heads(taken))
        return Operands(
            query,
            key,
            value,
            decay=self._by_heads(torch.exp(-FASTEST * decay)),
            erase=(removed, removed * self._by_heads(rate)),
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
        read = self.norm(answers.flatten(0, 1).flatten(1)).view(gate.shape)  # [T, B, H * size]
        weight = (operands.query * operands.key * self.bonus).sum(dim=3, keepdim=True)
        read = read + (weight * operands.value).flatten(2)
        mixed: Tensor = self.output(read * gate)
        return mixed

    def _by_heads(self, made: Tensor) -> Tensor:
        return made.view(*made.shape[:2], self.heads, self.size)


class ChannelMixer(Mixer):
    """The feedforward network W_2 relu(W_1 x')^2, where x' sees the step before."""

    def __init__(self, hidden_size: int, below: float) -> None:
        """Build the maps, started as in the paper's code."""
        super().__init__()
        self.mixing = nn.Parameter(shares_of_step_before(hidden_size, below**4))
        self.up = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.down = nn.Linear(4 * hidden_size, hidden_size, bias=False)
        nn.init.uniform_(self.up.weight, -0.5 / hidden_size**0.5, 0.5 / hidden_size**0.5)
        nn.init.zeros_(self.down.weight)

    @property
    def state_floats(self) -> int:
        """The step before."""
        return len(self.mixing)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map ``[T, B, hidden]`` to the same shape."""
        seen = hidden + shifted(hidden) * self.mixing
        mapped: Tensor = self.down(torch.relu(self.up(seen)).square())
        return mapped


@register_model("rwkv7", settings=RWKV7Settings, width="hidden_size")
class RWKV7(BlockModel):
    """A matrix state that decays and is corrected channel by channel.

    With receptance, key and value r_t, k_t, v_t of a head, the decay w_t and the rate a_t, both a
    number per channel, and the removal key c_t = xi * k_t divided by its length::

        k'_t = k_t * (1 + (a_t - 1) * alpha)
        S_t  = S_{t-1} (diag(w_t) - c_t (a_t * c_t)^T) + v_t k'_t^T
        o_t  = norm(S_t r_t) + ((r_t * rho)^T k'_t) v_t

    w_t = exp(-exp(-1/2) sigmoid(d_t)), and d_t, a_t (by a sigmoid) and the gate of o_t are maps of
    low rank. Each of r, w, k, v, a and g sees a mixture of its own of x_t and x_{t-1}. Above the
    first layer, v_t + (v'_t - v_t) * nu_t takes the place of v_t, where v'_t is the first layer's
    and nu_t, by a sigmoid, a map of low rank too. Blocks alternate with a feedforward network of
    squared ReLUs that sees such a mixture too. Weights start as in the paper's code
    (``train_temp/src/model.py`` of BlinkDL/RWKV-LM), the last map of each part at 0.
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

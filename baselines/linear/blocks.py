"""What the models of this folder share: settings, blocks, short convolutions, and the trace."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.data.ranges import Choice, Range, searched
from ntmbench.engine.linear_state import influences, linear_state
from ntmbench.errors import MAX_LAYERS, MAX_SIZE, check_range
from ntmbench.model import SequenceModel
from ntmbench.trace import Panel, Signal, Trace

MAX_HEADS = 256
MAX_KERNEL = 64
#: Added to the mean square of what is normalised.
EPSILON = 1e-5


@dataclass(frozen=True)
class BlockSettings:
    """Settings of every model that is a stack of blocks with heads."""

    #: Numbers that pass from block to block. The heads share them out, rounded up.
    hidden_size: int = 64
    #: Blocks, each fed by the one below.
    layers: int = field(default=2, metadata=searched(Range(1, 3)))
    #: Heads of a block, each with a state of its own.
    heads: int = field(default=2, metadata=searched(Choice((1, 2, 4))))

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.layers", self.layers, 1, MAX_LAYERS)
        check_range("model.heads", self.heads, 1, MAX_HEADS)


@dataclass(frozen=True)
class ConvolutionSettings(BlockSettings):
    """Settings of a model with short convolutions."""

    #: Steps that a short convolution sees: the current one and those just before it.
    kernel_size: int = 4

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range("model.kernel_size", self.kernel_size, 1, MAX_KERNEL)


def head_size(numbers: float, heads: int) -> int:
    """Numbers of one head if all have at least so many together."""
    return math.ceil(numbers / heads)


class ShortConvolution(nn.Module):
    """A causal convolution over the steps, of each channel by itself; then SiLU."""

    def __init__(self, channels: int, kernel_size: int, *, bias: bool = False) -> None:
        """Build the kernel, initialised as PyTorch's Conv1d."""
        super().__init__()
        limit = kernel_size**-0.5
        self.weight = nn.Parameter(torch.empty(channels, kernel_size).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-limit, limit)) if bias else None

    @property
    def state_floats(self) -> int:
        """The earlier steps that are kept."""
        return self.weight.numel() - len(self.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map ``[T, B, channels]`` to the same shape."""
        return functional.silu(self.taps(inputs))

    def taps(self, inputs: Tensor) -> Tensor:
        """The convolution without SiLU."""
        steps, kernel_size = len(inputs), self.weight.shape[1]
        padded = functional.pad(inputs, (0, 0, 0, 0, kernel_size - 1, 0))  # [T + kernel - 1, B, C]
        seen = torch.zeros_like(inputs) if self.bias is None else self.bias.expand_as(inputs)
        for place in range(kernel_size):
            seen = seen + padded[place : place + steps] * self.weight[:, place]
        return seen


class Mixer(nn.Module):
    """The part of a block that carries a state from step to step: ``[T, B, hidden]`` to same."""

    @property
    def state_floats(self) -> int:
        """Numbers that are carried from step to step."""
        raise NotImplementedError

    def shares(self, hidden: Tensor) -> Tensor | None:
        """The share of each step in what the heads read, ``[T, B, H, T]``; None if unknown."""
        return None


@dataclass(frozen=True)
class Operands:
    """What ``linear_state`` takes; it has the symbols and shapes."""

    query: Tensor
    key: Tensor
    value: Tensor
    decay: Tensor | None = None
    erase: tuple[Tensor, Tensor] | None = None
    #: Whether the last number of a value is a normaliser's, by which the others are divided.
    normalized: bool = False
    #: What a mixer reads with, beside the answers.
    beside: tuple[Tensor, ...] = ()


class MatrixMixer(Mixer):
    """A mixer whose state is a matrix per head, with what is written and erased given before."""

    #: Steps of the state for one step of the sequence.
    every = 1

    def operands(self, hidden: Tensor) -> Operands:
        """What is written and read, from ``[T, B, hidden]``."""
        raise NotImplementedError

    def operands_above(self, hidden: Tensor, lower: Sequence[Operands]) -> Operands:
        """The operands, given those of the blocks below, for which most models have no use."""
        return self.operands(hidden)

    def read(self, hidden: Tensor, operands: Operands, answers: Tensor) -> Tensor:
        """Map the answers ``[T, B, H, V]`` of the state to ``[T, B, hidden]``."""
        raise NotImplementedError

    def forward(self, hidden: Tensor, lower: list[Operands] | None = None) -> Tensor:
        """Map ``[T, B, hidden]`` to the same shape, and add the operands to those of ``lower``."""
        lower = [] if lower is None else lower
        made = self.operands_above(hidden, lower)
        lower.append(made)
        answers, _ = linear_state(
            made.query,
            made.key,
            made.value,
            decay=made.decay,
            erase=made.erase,
            every=self.every,
        )  # [T, B, H, V]
        return self.read(hidden, made, answers)

    def shares(self, hidden: Tensor, lower: Sequence[Operands] = ()) -> Tensor:
        """The size of what each step added to an answer, as a share of all sizes.

        A normaliser's number, which divides the answer, is no part of that size.
        """
        made = self.operands_above(hidden, lower)
        weights = influences(
            made.query, made.key, decay=made.decay, erase=made.erase, every=self.every
        )  # [T, B, H, T * every]
        value = made.value[..., :-1] if made.normalized else made.value
        lengths = value.norm(dim=3).permute(1, 2, 0)  # [B, H, T * every]
        sizes = weights.abs() * lengths  # [T, B, H, T * every]
        sizes = sizes.view(*sizes.shape[:3], -1, self.every).sum(dim=4)  # [T, B, H, T]
        tiny = torch.finfo(sizes.dtype).tiny
        shares: Tensor = sizes / sizes.sum(dim=3, keepdim=True).clamp_min(tiny)
        return shares


class SwiGLU(nn.Module):
    """A gated feedforward network, W_3 (SiLU(W_1 x) * W_2 x), with 8/3 as many units inside."""

    def __init__(self, hidden_size: int) -> None:
        """Build the linear maps, initialised as PyTorch does."""
        super().__init__()
        inner = math.ceil(8 * hidden_size / 3)
        self.up = nn.Linear(hidden_size, 2 * inner, bias=False)
        self.down = nn.Linear(inner, hidden_size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map ``[T, B, hidden]`` to the same shape."""
        gate, inner = self.up(hidden).chunk(2, dim=2)  # [T, B, inner] each
        mapped: Tensor = self.down(functional.silu(gate) * inner)  # [T, B, hidden]
        return mapped


class Block(nn.Module):
    """A mixer and, in most models, a feedforward network; each is normalised first and added."""

    def __init__(
        self,
        hidden_size: int,
        mixer: Mixer,
        feedforward: nn.Module | None = None,
        *,
        center: bool = False,
    ) -> None:
        """Put the parts together; ``center`` takes a LayerNorm without bias, else an RMSNorm."""
        super().__init__()
        self.mixer_norm = _norm(hidden_size, center)
        self.mixer = mixer
        self.feedforward = feedforward
        self.feedforward_norm = None if feedforward is None else _norm(hidden_size, center)

    def shares(self, hidden: Tensor, lower: Sequence[Operands]) -> Tensor | None:
        """The share of each step in what the heads read, ``[T, B, H, T]``; None if unknown."""
        seen = self.mixer_norm(hidden)
        if isinstance(self.mixer, MatrixMixer):
            return self.mixer.shares(seen, lower)
        return self.mixer.shares(seen)

    @property
    def state_floats(self) -> int:
        """What its parts carry; most feedforward networks carry nothing."""
        parts = (self.mixer, self.feedforward)
        return sum(part.state_floats for part in parts if isinstance(part, Mixer))

    def forward(self, hidden: Tensor, lower: list[Operands]) -> Tensor:
        """Map ``[T, B, hidden]`` to the same shape, and add the operands to those of ``lower``."""
        seen = self.mixer_norm(hidden)
        if isinstance(self.mixer, MatrixMixer):
            hidden = hidden + self.mixer(seen, lower)
        else:
            hidden = hidden + self.mixer(seen)
        if self.feedforward is not None and self.feedforward_norm is not None:
            hidden = hidden + self.feedforward(self.feedforward_norm(hidden))
        return hidden


def _norm(hidden_size: int, center: bool) -> nn.Module:
    if center:
        return nn.LayerNorm(hidden_size, eps=EPSILON, bias=False)
    return nn.RMSNorm(hidden_size, eps=EPSILON)


class BlockModel(SequenceModel):
    """A linear map of the inputs, a stack of blocks, a norm, and a linear map to the logits."""

    def __init__(
        self,
        input_width: int,
        output_width: int,
        hidden_size: int,
        blocks: Iterable[Block],
        *,
        center: bool = False,
    ) -> None:
        """Build what surrounds the blocks, initialised as PyTorch does."""
        super().__init__()
        self.embedding = nn.Linear(input_width, hidden_size)
        self.blocks = nn.ModuleList(blocks)
        self.norm = _norm(hidden_size, center)
        self.output = nn.Linear(hidden_size, output_width)

    def embed(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to what the first block sees, ``[T, B, hidden]``."""
        hidden: Tensor = self.embedding(inputs)  # [T, B, hidden]
        return hidden

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        hidden, lower = self.embed(inputs), list[Operands]()
        for block in self.blocks:
            hidden = block(hidden, lower)  # [T, B, hidden]
        logits: Tensor = self.output(self.norm(hidden))  # [T, B, out]
        return logits

    def state_floats(self, steps: int) -> int:
        """What all blocks carry."""
        return sum(block.state_floats for block in self._stack())

    def trace(self, inputs: Tensor) -> Trace | None:
        """Run inputs ``[T, B, in]`` without gradients and return what each step read.

        Signal: ``shares [T, B, layers * heads, T]``, the share of each earlier step in what a head
        reads; for a matrix state, by the size of v_s k_s^T A_{s+1} ... A_t q_t. ``provenance`` is
        their mean over the heads of all layers. None if the mixers do not know it.
        """
        found = []
        with torch.no_grad():
            hidden, lower = self.embed(inputs), list[Operands]()
            for block in self._stack():
                shares = block.shares(hidden, lower)  # [T, B, H, T]
                if shares is None:
                    return None
                found.append(shares)
                hidden = block(hidden, lower)
            logits = self.output(self.norm(hidden))  # [T, B, out]
        heads = torch.cat(found, dim=2)  # [T, B, layers * heads, T]
        return Trace(
            logits,
            {"shares": Signal(heads, ("head", "step"))},
            (Panel("shares", "steps in what each head reads, lowest layer first", "weights"),),
            find_provenance=lambda: heads.mean(dim=2),
        )

    def _stack(self) -> list[Block]:
        return [cast(Block, block) for block in self.blocks]

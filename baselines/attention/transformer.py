"""Decoder-only transformer (Vaswani et al. 2017), normalised first as GPT-2 (Radford et al. 2019).

Positions are told by rotation (RoFormer, Su et al. 2021), by a penalty on distance (ALiBi, Press et
al. 2021), or by the causal mask alone. All three go on beyond the trained lengths.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.data.ranges import Choice, Range, searched
from ntmbench.errors import MAX_LAYERS, MAX_SIZE, check_choice, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model
from ntmbench.trace import Panel, Signal, Trace

POSITIONS = ("none", "rotary", "alibi")
MAX_HEADS = 64
#: Hidden units of a feedforward layer for each number of the model's width.
EXPANSION = 4
#: The rotation of the pair i of c / 2 turns by BASE^(-2i / c) a step.
BASE = 10_000.0


@dataclass(frozen=True)
class TransformerSettings:
    """Settings of the transformer."""

    #: Numbers that stand for a step between the layers. The heads share them, each with the same
    #: even number, rounded up.
    hidden_size: int = 50
    #: Layers, each of attention and a feedforward network.
    layers: int = field(default=2, metadata=searched(Range(1, 4)))
    #: Attention heads of each layer.
    heads: int = field(default=4, metadata=searched(Choice((1, 2, 4, 8))))
    #: How positions are told: none, rotary or alibi.
    positions: str = field(default="rotary", metadata=searched(Choice(POSITIONS)))

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.layers", self.layers, 1, MAX_LAYERS)
        check_range("model.heads", self.heads, 1, MAX_HEADS)
        check_choice("model.positions", self.positions, POSITIONS)


@register_model("transformer", settings=TransformerSettings, width="hidden_size")
class Transformer(SequenceModel):
    """Layers of causal attention and feedforward networks, and a linear output layer.

    With inputs x_t, and for each layer W_q, W_k, W_v and W_o of its own (the heads h side by side,
    c numbers each)::

        z_t = W x_t + b
        u_t = norm(z_t);  q_t = W_q u_t;  k_t = W_k u_t;  v_t = W_v u_t
        a_ts = softmax over s <= t of q_t k_s / sqrt(c)                (Vaswani et al., equation 1)
        z_t = z_t + W_o (sum over s of a_ts v_s)
        z_t = z_t + W_2 gelu(W_1 norm(z_t) + b_1) + b_2                (equation 2 has a ReLU)
        y_t = V norm(z_t) + d                                          after the last layer

    Rotary positions turn each pair of numbers of q_t and of k_t by t BASE^(-2i/c), so that only the
    distance t - s enters the score (Su et al., equation 16). ALiBi subtracts m_h (t - s) from the
    score, where m_h = 2^(-8h/H) for H heads, a power of two.

    Time grows quadratically with T, and the state linearly. No keys and values are kept between
    calls: all steps are computed at once, since the model is never fed its own answers.

    The weights are drawn as PyTorch does, at GPT-2's width with about the deviation that GPT-2 has.
    W_o and W_2 are divided by the square root of the number of such summands, as in GPT-2.
    """

    def __init__(self, input_width: int, output_width: int, settings: TransformerSettings) -> None:
        """Build the layers."""
        super().__init__()
        d = settings.hidden_size
        self.embed = nn.Linear(input_width, d)
        blocks = [Block(d, settings.heads, settings.positions) for _ in range(settings.layers)]
        scale_summands(blocks)
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(d, bias=False)
        self.output = nn.Linear(d, output_width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        hidden = self.embed(inputs).transpose(0, 1)  # [B, T, d]
        for block in self.blocks:
            hidden = block(hidden)
        logits: Tensor = self.output(self.norm(hidden))  # [B, T, out]
        return logits.transpose(0, 1)  # [T, B, out]

    def state_floats(self, steps: int) -> int:
        """The keys and values of all steps, in each layer."""
        return sum(block.attention.state_floats(steps) for block in self._layers())

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients; see ``attention_trace``."""
        weights = []
        with torch.no_grad():
            hidden = self.embed(inputs).transpose(0, 1)  # [B, T, d]
            for block in self._layers():
                weights.append(block.weights(hidden))
                hidden = block(hidden)
            return attention_trace(self(inputs), weights)

    def _layers(self) -> Iterator[Block]:
        return (block for block in self.blocks if isinstance(block, Block))


class Block(nn.Module):
    """One layer: ``[B, T, d]`` to ``[B, T, d]``."""

    def __init__(self, d: int, heads: int, positions: str) -> None:
        """Build attention and feedforward network, each with the norm before it."""
        super().__init__()
        self.attention_norm = nn.LayerNorm(d, bias=False)
        self.attention = Attention(d, heads, positions)
        self.feedforward_norm = nn.LayerNorm(d, bias=False)
        self.widen = nn.Linear(d, EXPANSION * d)
        self.narrow = nn.Linear(EXPANSION * d, d)

    def forward(self, hidden: Tensor) -> Tensor:
        """Add what was attended to, and then what is computed from it."""
        hidden = hidden + self.attention(self.attention_norm(hidden))
        wide = functional.gelu(self.widen(self.feedforward_norm(hidden)))  # [B, T, 4d]
        summed: Tensor = hidden + self.narrow(wide)
        return summed

    def weights(self, hidden: Tensor) -> Tensor:
        """The attention weights ``[B, H, T, T]`` that ``forward`` uses."""
        return self.attention.weights(self.attention_norm(hidden))


class Attention(nn.Module):
    """Causal attention of several heads, by PyTorch's fused kernel."""

    def __init__(self, d: int, heads: int, positions: str) -> None:
        """Build the four linear maps, without biases."""
        super().__init__()
        self.heads, self.positions = heads, positions
        self.head_size = 2 * math.ceil(d / (2 * heads))  # c
        inner = heads * self.head_size
        self.query = nn.Linear(d, inner, bias=False)
        self.key = nn.Linear(d, inner, bias=False)
        self.value = nn.Linear(d, inner, bias=False)
        self.merge = nn.Linear(inner, d, bias=False)

    def forward(self, seen: Tensor) -> Tensor:
        """What each step of ``seen [B, T, d]`` attends to, ``[B, T, d]``."""
        query, key = self._placed(seen)  # [B, H, T, c or c + 1]
        value = self._split(self.value(seen))  # [B, H, T, c]
        # The fused kernel takes queries, keys and values of one width.
        value = functional.pad(value, (0, key.shape[3] - value.shape[3]))  # as wide as the key
        read = functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, scale=self.head_size**-0.5
        )
        read = read[..., : self.head_size].transpose(1, 2).flatten(2)  # [B, T, H c]
        merged: Tensor = self.merge(read)  # [B, T, d]
        return merged

    def weights(self, seen: Tensor) -> Tensor:
        """The attention weights ``[B, H, T, T]``, of each step (third axis) on each (fourth)."""
        query, key = self._placed(seen)  # [B, H, T, c or c + 1]
        scores = query @ key.transpose(2, 3) * self.head_size**-0.5  # [B, H, T, T]
        later = scores.new_ones(scores.shape[2:]).triu(1).bool()  # [T, T]
        return torch.softmax(scores.masked_fill(later, -math.inf), dim=3)

    def state_floats(self, steps: int) -> int:
        """Keys and values of all steps."""
        return 2 * steps * self.heads * self.head_size

    def _split(self, values: Tensor) -> Tensor:
        heads = values.view(*values.shape[:2], self.heads, self.head_size)  # [B, T, H, c]
        return heads.transpose(1, 2)  # [B, H, T, c]

    def _placed(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Queries and keys ``[B, H, T, c]`` that know their positions; for ALiBi with c + 1."""
        query, key = self._split(self.query(seen)), self._split(self.key(seen))  # [B, H, T, c]
        if self.positions == "rotary":
            return rotated(query), rotated(key)
        if self.positions == "alibi":
            return self._with_distance(query, key)
        return query, key

    def _with_distance(self, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        """One more number in each, whose product adds m_h s to the score of s.

        It stands for -m_h (t - s), since m_h t is the same for all s and drops out of the softmax.
        So no matrix of T by T distances is made.
        """
        slopes = torch.tensor(alibi_slopes(self.heads), dtype=query.dtype, device=query.device)
        steps = torch.arange(query.shape[2], dtype=query.dtype, device=query.device)
        slope = (slopes * self.head_size**0.5)[:, None, None].expand(*query.shape[:3], 1)
        step = steps[:, None].expand(*key.shape[:3], 1)  # [B, H, T, 1], as the slope
        return torch.cat([query, slope], dim=3), torch.cat([key, step], dim=3)


def rotated(values: Tensor) -> Tensor:
    """Turn each pair (2i, 2i + 1) of values ``[B, H, T, c]`` by t BASE^(-2i/c)."""
    steps, size = values.shape[2:]
    # In float64, so that the angle of a far step is exact.
    turns = BASE ** (-torch.arange(0, size, 2, device=values.device).double() / size)  # [c / 2]
    angles = torch.arange(steps, device=values.device)[:, None] * turns  # [T, c / 2]
    cos, sin = angles.cos().to(values.dtype), angles.sin().to(values.dtype)
    even, odd = values[..., ::2], values[..., 1::2]  # [B, H, T, c / 2]
    turned = torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=4)
    return turned.flatten(3)  # [B, H, T, c]


def alibi_slopes(heads: int) -> list[float]:
    """The slope of each head: 2^(-8h/H), h from 1 to H.

    If H is no power of two, the slopes of the power below come first, and then every other one of
    twice that power, as in the authors' code.
    """
    power = 2 ** int(math.log2(heads))
    slopes = [2 ** (-8 * head / power) for head in range(1, power + 1)]
    between = [2 ** (-4 * head / power) for head in range(1, 2 * power + 1, 2)]
    return slopes + between[: heads - power]


def scale_summands(blocks: Sequence[Block]) -> None:
    """Divide what each block adds by the square root of the number of summands, two a block."""
    with torch.no_grad():
        for block in blocks:
            for layer in (block.attention.merge, block.narrow):
                layer.weight.div_((2 * len(blocks)) ** 0.5)


def attention_trace(logits: Tensor, weights: list[Tensor]) -> Trace:
    """The trace of layers with attention weights ``[B, H, T, T]`` each.

    The signal is ``attention [T, B, layers H, T]``, the heads of the lowest layer first.
    ``provenance [T, B, T]`` is its mean over all heads and layers.
    """
    attention = torch.cat(weights, dim=1).permute(2, 0, 1, 3)  # [T, B, layers H, T]
    return Trace(
        logits,
        {"attention": Signal(attention, ("head", "step"))},
        (Panel("attention", "attention to each step", "weights"),),
        find_provenance=lambda: attention.mean(dim=2),
    )

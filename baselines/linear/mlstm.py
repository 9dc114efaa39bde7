"""mLSTM, the matrix memory of the xLSTM (Beck et al. 2024)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import (
    Block,
    BlockModel,
    ConvolutionSettings,
    MatrixMixer,
    Operands,
    ShortConvolution,
)
from ntmbench.baselines.linear.xlstm_parts import (
    GroupedLinear,
    HeadNorm,
    start_by_depth,
    start_small,
)
from ntmbench.errors import check_range
from ntmbench.registry import register_model

#: Channels that one map of queries, keys or values takes together.
GROUP = 4
#: Added to the divisor of an answer.
LEAST_DIVISOR = 1e-6
MAX_EXPANSION = 64
#: The greatest -m_t whose exponential is taken. From 89 on it is infinite in float32, and its
#: gradient is not a number.
GREATEST = 80.0


@dataclass(frozen=True)
class MLSTMSettings(ConvolutionSettings):
    """Settings of the mLSTM."""

    #: How many times the hidden size the heads are together, rounded up to groups of channels.
    expansion: float = 2.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range("model.expansion", self.expansion, 0, MAX_EXPANSION, above=0)


class MLSTMMixer(MatrixMixer):
    """An mLSTM layer between its up-projection and its down-projection."""

    def __init__(self, settings: MLSTMSettings) -> None:
        """Build the linear maps; forget gates start open, input gates near 1."""
        super().__init__()
        hidden_size, self.heads = settings.hidden_size, settings.heads
        unit = math.lcm(GROUP, self.heads)
        inner = unit * math.ceil(settings.expansion * hidden_size / unit)
        self.size = inner // self.heads
        self.up = nn.Linear(hidden_size, 2 * inner, bias=False)
        self.convolution = ShortConvolution(inner, settings.kernel_size, bias=True)
        self.query = GroupedLinear(inner, inner // GROUP, hidden_size)
        self.key = GroupedLinear(inner, inner // GROUP, hidden_size)
        self.value = GroupedLinear(inner, inner // GROUP, hidden_size)
        self.input_gate = nn.Linear(3 * inner, self.heads)
        self.forget_gate = nn.Linear(3 * inner, self.heads)
        self.norm = HeadNorm(inner)
        self.skip = nn.Parameter(torch.ones(inner))
        self.down = nn.Linear(inner, hidden_size, bias=False)
        start_small(self.up.weight, hidden_size)
        start_by_depth(self.down.weight, hidden_size, settings.layers)
        nn.init.zeros_(self.input_gate.weight)
        nn.init.normal_(self.input_gate.bias, std=0.1)
        nn.init.zeros_(self.forget_gate.weight)
        with torch.no_grad():
            self.forget_gate.bias.copy_(torch.linspace(3, 6, self.heads))

    @property
    def state_floats(self) -> int:
        """C, n and m of each head, and what the convolution keeps."""
        state: int = self.heads * (self.size**2 + self.size + 1) + self.convolution.state_floats
        return state

    def operands(self, hidden: Tensor) -> Operands:
        """The stabilised gates as decay and as factor of the values; n is that of a value of 1."""
        inner, gate = self.up(hidden).chunk(2, dim=2)  # [T, B, H * size] each
        convolved = self.convolution(inner)
        made = self.query(convolved), self.key(convolved), self.value(inner)
        gated = torch.cat(made, dim=2)  # [T, B, 3 * H * size]
        opened = self.input_gate(gated)  # [T, B, H]
        kept = functional.logsigmoid(self.forget_gate(gated))  # [T, B, H]
        largest = _stabilizer(opened, kept)  # [T, B, H]
        before = torch.cat([largest[:1] - kept[:1], largest[:-1]])  # [T, B, H]
        shape = (*hidden.shape[:2], self.heads, self.size)
        query, key, value = (part.view(shape) for part in made)  # [T, B, H, size] each
        value = torch.cat([value, torch.ones_like(value[..., :1])], dim=3)  # [T, B, H, size + 1]
        return Operands(
            query,
            key / math.sqrt(self.size),
            (opened - largest).exp().unsqueeze(3) * value,  # [T, B, H, size + 1]
            decay=(kept + before - largest).exp(),  # [T, B, H]
            normalized=True,
            beside=(largest, convolved, gate),
        )

    def read(self, hidden: Tensor, operands: Operands, answers: Tensor) -> Tensor:
        """Divide by n^T q, normalise each head, skip, gate, and project down."""
        largest, convolved, gate = operands.beside
        weight = answers[..., -1:].abs()  # [T, B, H, 1]
        bound = (-largest).clamp(max=GREATEST).exp().unsqueeze(3)  # [T, B, H, 1]
        divisor = torch.maximum(weight, bound) + LEAST_DIVISOR
        read = self.norm(answers[..., :-1] / divisor)  # [T, B, H * size]
        read = (read + self.skip * convolved) * functional.silu(gate)
        mapped: Tensor = self.down(read)  # [T, B, hidden]
        return mapped


def _stabilizer(opened: Tensor, kept: Tensor) -> Tensor:
    """m_t = max(log f_t + m_{t-1}, i~_t) from i~ and log f, ``[T, B, H]``, all at once."""
    total = kept.cumsum(dim=0)  # [T, B, H]
    return total + (opened - total).cummax(dim=0).values


@register_model("mlstm", settings=MLSTMSettings, width="hidden_size")
class MLSTM(BlockModel):
    """A matrix memory with exponential gates.

    With query, key and value q_t, k_t, v_t of a head of d channels (section 2.3; equation 23 has
    the root of d)::

        i_t = exp(i~_t),      i~_t = w_i^T x_t + b_i                (equation 25)
        f_t = sigmoid(f~_t),  f~_t = w_f^T x_t + b_f                (equation 26)
        C_t = f_t C_{t-1} + i_t v_t k_t^T / sqrt(d)                 (equation 19)
        n_t = f_t n_{t-1} + i_t k_t / sqrt(d)                       (equation 20)
        h_t = C_t q_t / max(|n_t^T q_t|, 1)                         (equation 21, without o_t)

    Gates as large as these need a stabiliser (equations 15 to 17)::

        m_t  = max(log f_t + m_{t-1}, i~_t)
        i'_t = exp(i~_t - m_t)
        f'_t = exp(log f_t + m_{t-1} - m_t)

    i' and f' take the place of i and f, and the 1 becomes exp(-m_t), which leaves h_t as it is. n
    is a further row of C, that of a value which is always 1.

    A block projects up, convolves, makes queries and keys of the convolved and values of the other,
    normalises each head, adds what was convolved, gates by SiLU and projects down. As in the
    paper's code, that gate is in the place of o_t, and the gates i and f see q_t, k_t and v_t of
    all heads for x_t. Sizes and starts are those of that code; forget gates start at biases from 3
    to 6.
    """

    def __init__(self, input_width: int, output_width: int, settings: MLSTMSettings) -> None:
        """Build the blocks."""
        size = settings.hidden_size
        blocks = [Block(size, MLSTMMixer(settings), center=True) for _ in range(settings.layers)]
        super().__init__(input_width, output_width, size, blocks, center=True)

"""TTT-Linear (Sun et al. 2024): the state is a linear model, trained while the sequence is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import (
    Block,
    BlockModel,
    ConvolutionSettings,
    Mixer,
    ShortConvolution,
    SwiGLU,
)
from ntmbench.data.ranges import Choice, searched
from ntmbench.errors import MAX_SIZE, check_range
from ntmbench.registry import register_model

#: Added to the variances, as in the authors' code.
NORM_EPSILON = 1e-6
#: Base of the waves by which a step tells its place in a mini-batch.
WAVES = 10000.0


@dataclass(frozen=True)
class TTTLinearSettings(ConvolutionSettings):
    """Settings of TTT-Linear."""

    #: Steps whose gradients are taken at the same weights.
    mini_batch: int = field(default=16, metadata=searched(Choice((1, 4, 16))))
    #: Learning rate of the inner model, before its gate and its division by the size of a head.
    inner_learning_rate: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range("model.mini_batch", self.mini_batch, 1, MAX_SIZE)
        check_range("model.inner_learning_rate", self.inner_learning_rate, above=0)


class _MiniBatch(NamedTuple):
    """The steps whose gradients are taken at the same weights."""

    answers: Tensor  # [B, H, n, size]
    query: Tensor  # [B, H, n, size]
    key: Tensor  # [B, H, n, size]
    shares: Tensor  # [B, H, n, n], of the gradient of step j in the model of step i
    slopes: Tensor  # [B, H, n, size], the gradients of the inner model's outputs


class TTTLinearMixer(Mixer):
    """A layer of TTT-Linear, with what surrounds it in the Mamba backbone of the paper."""

    def __init__(self, settings: TTTLinearSettings) -> None:
        """Build the maps; the inner model starts at small learned weights."""
        super().__init__()
        hidden_size, self.heads = settings.hidden_size, settings.heads
        self.size = 2 * math.ceil(hidden_size / (2 * self.heads))
        channels = self.heads * self.size
        self.mini_batch = settings.mini_batch
        self.learning_rate = settings.inner_learning_rate
        self.query_and_key = nn.Linear(hidden_size, channels, bias=False)
        self.value = nn.Linear(hidden_size, channels, bias=False)
        self.query_convolution = ShortConvolution(channels, settings.kernel_size, bias=True)
        self.key_convolution = ShortConvolution(channels, settings.kernel_size, bias=True)
        self.weights = nn.Parameter(0.02 * torch.randn(self.heads, self.size, self.size))
        self.biases = nn.Parameter(torch.zeros(self.heads, 1, self.size))
        self.norm_factors = nn.Parameter(torch.ones(self.heads, 1, self.size))
        self.norm_biases = nn.Parameter(torch.zeros(self.heads, 1, self.size))
        self.rates = nn.Linear(hidden_size, self.heads)
        nn.init.normal_(self.rates.weight, std=0.02)
        nn.init.zeros_(self.rates.bias)
        self.step_factors = nn.Parameter(torch.zeros(self.mini_batch))
        self.gate = nn.Linear(hidden_size, channels, bias=False)
        self.norm = nn.LayerNorm(channels, eps=NORM_EPSILON)
        self.output = nn.Linear(channels, hidden_size, bias=False)

    @property
    def state_floats(self) -> int:
        """W and b, the sums of their gradients in a mini-batch, and what the convolutions keep.

        A mini-batch of one step needs no sums. Both convolutions see the same numbers.
        """
        model = self.heads * (self.size**2 + self.size)
        kept = model if self.mini_batch == 1 else 2 * model
        state: int = kept + self.query_convolution.state_floats
        return state

    def forward(self, hidden: Tensor) -> Tensor:
        """Map ``[T, B, hidden]`` to the same shape."""
        answers = [batch.answers for batch in self._mini_batches(hidden)]
        read = torch.cat(answers, dim=2)  # [B, H, T, size]
        read = read.permute(2, 0, 1, 3).flatten(2)  # [T, B, H * size]
        gate = functional.gelu(self.gate(hidden), approximate="tanh")  # [T, B, H * size]
        mixed: Tensor = self.output(self.norm(read) * gate)  # [T, B, hidden]
        return mixed

    def influences(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """What each step did to the inner model's answers, before its norm.

        Returns:
            Factors ``[B, H, T, T]`` and slopes ``[B, H, T, size]``. The answer of step i is
            q_i W_0 + b_0, minus the sum of factor i, j times slope j over all steps j.
        """
        batches = list(self._mini_batches(hidden))
        key = torch.cat([batch.key for batch in batches], dim=2)  # [B, H, T, size]
        last = torch.cat([batch.shares[:, :, -1:] for batch in batches], dim=3)  # [B, H, 1, T]
        rows, start = [], 0
        for batch in batches:
            steps = batch.key.shape[2]
            later = key.shape[2] - start - steps
            shares = torch.cat(
                [
                    last[..., :start].expand(-1, -1, steps, -1),
                    functional.pad(batch.shares, (0, later)),
                ],
                dim=3,
            )  # [B, H, n, T]
            rows.append(shares * (batch.query @ key.transpose(2, 3) + 1))
            start += steps
        return torch.cat(rows, dim=2), torch.cat([batch.slopes for batch in batches], dim=2)

    def shares(self, hidden: Tensor) -> Tensor:
        """The size of what each step changed in an answer, as a share of all sizes."""
        factors, slopes = self.influences(hidden)
        sizes = factors.abs() * slopes.norm(dim=3).unsqueeze(2)  # [B, H, T, T]
        tiny = torch.finfo(sizes.dtype).tiny
        shares: Tensor = sizes / sizes.sum(dim=3, keepdim=True).clamp_min(tiny)
        return shares.permute(2, 0, 1, 3)  # [T, B, H, T]

    def _mini_batches(self, hidden: Tensor) -> Iterator[_MiniBatch]:
        """Answer ``[T, B, hidden]``, some steps at a time."""
        shared = self.query_and_key(hidden)  # [T, B, H * size]
        query = self._by_heads(self.query_convolution.taps(shared))  # [B, H, T, size]
        key = self._by_heads(self.key_convolution.taps(shared))  # [B, H, T, size]
        query, key = turned(query, self.mini_batch), turned(key, self.mini_batch)
        value = self._by_heads(self.value(hidden))  # [B, H, T, size]
        rates = torch.sigmoid(self.rates(hidden))  # [T, B, H]
        rates = rates.permute(1, 2, 0).unsqueeze(2)  # [B, H, 1, T]
        rates = self.learning_rate / self.size * rates
        weights: Tensor = self.weights  # [H, size, size]
        biases: Tensor = self.biases  # [H, 1, size]
        for start in range(0, len(hidden), self.mini_batch):
            part = slice(start, start + self.mini_batch)
            batch = self._mini_batch(
                query[:, :, part], key[:, :, part], value[:, :, part], rates[..., part],
                weights, biases,
            )  # fmt: skip
            yield batch
            last = batch.shares[:, :, -1:]  # [B, H, 1, n]
            weighted = batch.key.transpose(2, 3) * last  # [B, H, size, n]
            weights = weights - weighted @ batch.slopes  # [B, H, size, size]
            biases = biases - last @ batch.slopes  # [B, H, 1, size]

    def _mini_batch(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        rates: Tensor,
        weights: Tensor,
        biases: Tensor,
    ) -> _MiniBatch:
        """Answers of n steps ``[B, H, n, size]``, and what changes the inner model.

        The models of single steps are not made: the answer of W_i is q_i W minus the gradients
        of the steps before, weighted by q_i k_j^T.
        """
        steps = key.shape[2]
        places = torch.arange(1, steps + 1, device=key.device).to(key)
        factors = (1 / places + self.step_factors[:steps]).clamp_min(0).unsqueeze(1)  # [n, 1]
        slopes = self._slopes(key @ weights + biases, value - key)  # [B, H, n, size]
        shares = (factors * rates).tril()  # [B, H, n, n]
        alike = query @ key.transpose(2, 3)  # [B, H, n, n]
        found = query @ weights - (shares * alike) @ slopes  # [B, H, n, size]
        found = found + biases - shares @ slopes
        normed = functional.layer_norm(found, found.shape[3:], eps=NORM_EPSILON)
        answers = query + normed * self.norm_factors + self.norm_biases
        return _MiniBatch(answers, query, key, shares, slopes)

    def _slopes(self, found: Tensor, wanted: Tensor) -> Tensor:
        """The gradient of |norm(found) - wanted|^2 / 2 for ``found [B, H, n, size]``."""
        center = found - found.mean(dim=3, keepdim=True)
        spread = torch.sqrt(center.square().mean(dim=3, keepdim=True) + NORM_EPSILON)
        normed = center / spread
        slope = (normed * self.norm_factors + self.norm_biases - wanted) * self.norm_factors
        along = normed * (slope * normed).mean(dim=3, keepdim=True)
        return (slope - slope.mean(dim=3, keepdim=True) - along) / spread

    def _by_heads(self, made: Tensor) -> Tensor:
        """``[T, B, H * size]`` as ``[B, H, T, size]``."""
        split = made.view(*made.shape[:2], self.heads, self.size)  # [T, B, H, size]
        return split.permute(1, 2, 0, 3)


def turned(numbers: Tensor, period: int) -> Tensor:
    """Rotary positions (Su et al. 2021) in ``[B, H, T, size]``, which begin anew with a period."""
    steps, size = numbers.shape[2:]
    places = torch.arange(steps, device=numbers.device) % period  # [T]
    pairs = torch.arange(size // 2, device=numbers.device, dtype=torch.float64)  # [size / 2]
    angles = places.unsqueeze(1) * torch.exp(-2 * math.log(WAVES) * pairs / size)  # [T, size / 2]
    cosines, sines = angles.cos().to(numbers), angles.sin().to(numbers)
    even, odd = numbers[..., ::2], numbers[..., 1::2]  # [B, H, T, size / 2] each
    parts = [even * cosines - odd * sines, odd * cosines + even * sines]
    return torch.stack(parts, dim=4).flatten(3)  # [B, H, T, size]


@register_model("ttt_linear", settings=TTTLinearSettings, width="hidden_size")
class TTTLinear(BlockModel):
    """A head remembers by learning to map each key to its value, by gradient descent.

    With query, key and value q_t, k_t, v_t of a head as rows of d numbers, the inner model is
    f(x; W, b) = x + norm(x W + b), whose norm has weights of its own (section 2.7), and its loss is
    |f(k_t; W, b) - v_t|^2 / 2 (equation 4 has no half)::

        l_t(W, b)  = |norm(k_t W + b) - (v_t - k_t)|^2 / 2
        (W, b)_t   = (W, b)_t' - e_t sum over t' < s <= t of eta_s grad l_s((W, b)_t')
        o_t        = f(q_t; (W, b)_t)                                           (equation 5)

    t' is the last step of the mini-batch before, so that all gradients of a mini-batch are taken at
    the same weights (section 2.4, equation 6). eta_s = eta_base sigmoid(w^T x_s + c) is the learned
    learning rate (section 2.7), here divided by d as in the authors' code
    (test-time-training/ttt-lm-pytorch). The factor e_t is from that code too: 1 over the number of
    the step in its mini-batch plus a learned number that starts at 0, and at least 0. W_0 and b_0
    are learned.

    A block is that of the paper's Mamba backbone: queries and keys from the same map, each with a
    short convolution and rotary positions within the mini-batch, a LayerNorm and a GELU gate after
    the heads; then SwiGLU.
    """

    def __init__(self, input_width: int, output_width: int, settings: TTTLinearSettings) -> None:
        """Build the blocks."""
        size = settings.hidden_size
        blocks = [
            Block(size, TTTLinearMixer(settings), SwiGLU(size)) for _ in range(settings.layers)
        ]
        super().__init__(input_width, output_width, size, blocks)

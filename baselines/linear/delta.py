"""The delta rule with its settings: what delta_net, gated_delta_net and delta_product share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import (
    EPSILON,
    Block,
    ConvolutionSettings,
    MatrixMixer,
    Operands,
    ShortConvolution,
    SwiGLU,
)
from ntmbench.baselines.linear.timescales import Forgetting


class DeltaMixer(MatrixMixer):
    """Heads that write by the delta rule, ``steps`` times for each step of the sequence.

    Queries, keys and values are linear in the inputs, convolved, and pass through SiLU; queries and
    keys then have length 1. beta_t, one number per head, is between 0 and 1, or between 0 and 2
    with ``negative_eigenvalues``. With ``forgetting`` the state has the factor alpha_t before a
    step's first writing. What is read has an RMSNorm per head, and with ``output_gate`` a factor
    SiLU(W_g x).
    """

    def __init__(
        self,
        hidden_size: int,
        heads: int,
        key_size: int,
        value_size: int,
        kernel_size: int,
        *,
        negative_eigenvalues: bool,
        forgetting: bool = False,
        output_gate: bool = False,
        steps: int = 1,
    ) -> None:
        """Build the linear maps, initialised as PyTorch does."""
        super().__init__()
        self.every, self.heads = steps, heads
        self.key_size, self.value_size = key_size, value_size
        self.reach = 2.0 if negative_eigenvalues else 1.0
        keys, values = heads * key_size, heads * value_size
        self.query = nn.Linear(hidden_size, keys, bias=False)
        self.key = nn.Linear(hidden_size, steps * keys, bias=False)
        self.value = nn.Linear(hidden_size, steps * values, bias=False)
        self.strength = nn.Linear(hidden_size, steps * heads, bias=False)
        self.query_convolution = ShortConvolution(keys, kernel_size)
        self.key_convolution = ShortConvolution(steps * keys, kernel_size)
        self.value_convolution = ShortConvolution(steps * values, kernel_size)
        self.forgetting = Forgetting(hidden_size, heads, (0, 16)) if forgetting else None
        self.norm = nn.RMSNorm(value_size, eps=EPSILON)
        self.gate = nn.Linear(hidden_size, values, bias=False) if output_gate else None
        self.output = nn.Linear(values, hidden_size, bias=False)

    @property
    def state_floats(self) -> int:
        """The matrices, and what the convolutions keep."""
        kept = (self.query_convolution, self.key_convolution, self.value_convolution)
        matrices: int = self.heads * self.key_size * self.value_size
        matrices += sum(convolution.state_floats for convolution in kept)
        return matrices

    def operands(self, hidden: Tensor) -> Operands:
        """What makes the state S_{t-1} alpha_t (I - beta_t k_t k_t^T) + beta_t v_t k_t^T.

        In the symbols of ``linear_state``: w = alpha_t, a = k_t and b = alpha_t beta_t k_t.
        """
        query = self.query_convolution(self.query(hidden))  # [T, B, H * K]
        query = self._by_heads(query, 1, self.key_size)  # [T, B, H, K]
        key = self.key_convolution(self.key(hidden))  # [T, B, steps * H * K]
        key = self._by_heads(key, self.every, self.key_size)  # [T * steps, B, H, K]
        value = self.value_convolution(self.value(hidden))  # [T, B, steps * H * V]
        value = self._by_heads(value, self.every, self.value_size)  # [T * steps, B, H, V]
        query, key = functional.normalize(query, dim=3), functional.normalize(key, dim=3)
        strength = self.reach * torch.sigmoid(self.strength(hidden))  # [T, B, steps * H]
        strength = self._by_heads(strength, self.every, 1)  # [T * steps, B, H, 1]
        erased = strength * key  # [T * steps, B, H, K]
        decay = None
        if self.forgetting is not None:
            once = self.forgetting(hidden)  # [T, B, H]
            once = once.unsqueeze(1)  # [T, 1, B, H]
            others = torch.ones_like(once).expand(-1, self.every - 1, -1, -1)
            decay = torch.cat([once, others], dim=1)  # [T, steps, B, H]
            decay = decay.flatten(0, 1)  # [T * steps, B, H]
            erased = erased * decay.unsqueeze(3)
        return Operands(query, key, strength * value, decay, (key, erased))

    def read(self, hidden: Tensor, operands: Operands, answers: Tensor) -> Tensor:
        """Normalise each head, gate, and mix the heads."""
        read = self.norm(answers).flatten(2)  # [T, B, H * V]
        if self.gate is not None:
            read = read * functional.silu(self.gate(hidden))
        mixed: Tensor = self.output(read)  # [T, B, hidden]
        return mixed

    def _by_heads(self, made: Tensor, steps: int, size: int) -> Tensor:
        """``[T, B, steps * H * size]`` as ``[T * steps, B, H, size]``."""
        batch_size = made.shape[1]
        split = made.view(-1, batch_size, steps, self.heads, size)  # [T, B, steps, H, size]
        return split.transpose(1, 2).reshape(-1, batch_size, self.heads, size)


def delta_blocks(
    settings: ConvolutionSettings,
    key_size: int,
    value_size: int,
    *,
    negative_eigenvalues: bool,
    forgetting: bool = False,
    output_gate: bool = False,
    steps: int = 1,
) -> list[Block]:
    """Blocks of the delta rule and SwiGLU; see ``DeltaMixer``."""
    hidden = settings.hidden_size
    return [
        Block(
            hidden,
            DeltaMixer(
                hidden,
                settings.heads,
                key_size,
                value_size,
                settings.kernel_size,
                negative_eigenvalues=negative_eigenvalues,
                forgetting=forgetting,
                output_gate=output_gate,
                steps=steps,
            ),
            SwiGLU(hidden),
        )
        for _ in range(settings.layers)
    ]

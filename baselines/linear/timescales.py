"""How fast a state forgets, from the inputs: the decay of Mamba 2, also that of Gated DeltaNet."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Shortest and longest step Delta at the start, and the least that is drawn.
SHORTEST, LONGEST, LEAST = 1e-3, 1e-1, 1e-4


def step_bias(heads: int) -> Tensor:
    """A bias c for each head, so that softplus(c) is from SHORTEST to LONGEST, log-uniform."""
    low, high = math.log(SHORTEST), math.log(LONGEST)
    steps = torch.exp(torch.empty(heads).uniform_(low, high)).clamp_min(LEAST)
    return steps + torch.log(-torch.expm1(-steps))


def log_rates(heads: int, between: tuple[float, float]) -> Tensor:
    """The logarithm of a rate A for each head, A uniform in a range."""
    tiny = torch.finfo(torch.float32).tiny
    return torch.empty(heads).uniform_(*between).clamp_min(tiny).log()


class Forgetting(nn.Module):
    """The factor exp(-A Delta_t) of each head, with Delta_t = softplus(W x_t + c)."""

    def __init__(self, hidden_size: int, heads: int, rates: tuple[float, float]) -> None:
        """Start with A uniform in ``rates``, and Delta_t between 0.001 and 0.1."""
        super().__init__()
        self.steps = nn.Linear(hidden_size, heads, bias=False)
        self.step_bias = nn.Parameter(step_bias(heads))
        self.log_rates = nn.Parameter(log_rates(heads, rates))

    def forward(self, hidden: Tensor) -> Tensor:
        """Map ``[T, B, hidden]`` to factors ``[T, B, H]``."""
        steps = functional.softplus(self.steps(hidden) + self.step_bias)  # [T, B, H]
        return torch.exp(-self.log_rates.exp() * steps)

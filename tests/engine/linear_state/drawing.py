"""Random arguments of the recurrence, for its tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Case:
    """Which arguments there are, and their sizes."""

    decay: str = "none"  # none, scalar or diagonal
    erase: bool = False
    every: int = 1
    state: bool = False
    steps: int = 6
    batch: int = 2
    heads: int = 2
    keys: int = 5
    values: int = 3

    def __str__(self) -> str:
        """A name for the test's report."""
        parts = [self.decay, "erase" * self.erase, f"every{self.every}", "state" * self.state]
        sizes = f"{self.steps}x{self.batch}x{self.heads}x{self.keys}x{self.values}"
        return "-".join([*filter(None, parts), sizes])


def draw(case: Case, dtype: torch.dtype = torch.float64) -> dict[str, Any]:
    """Keyword arguments of ``linear_state``; the numbers are those of float32 in every type."""
    generator = torch.Generator().manual_seed(5)

    def normal(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=generator).to(dtype)

    along = (case.steps, case.batch, case.heads)
    drawn: dict[str, Any] = {
        "query": normal(case.steps // case.every, *along[1:], case.keys),
        "key": normal(*along, case.keys),
        "value": normal(*along, case.values),
        "every": case.every,
    }
    if case.decay != "none":
        sizes = along if case.decay == "scalar" else (*along, case.keys)
        drawn["decay"] = (0.5 + 0.5 * torch.rand(*sizes, generator=generator)).to(dtype)
    if case.erase:
        a = functional.normalize(torch.randn(*along, case.keys, generator=generator), dim=-1)
        drawn["erase"] = (a.to(dtype), (0.8 * a).to(dtype))
    if case.state:
        drawn["state"] = normal(case.batch, case.heads, case.values, case.keys)
    return drawn


def leaves(drawn: dict[str, Any]) -> list[Tensor]:
    """The tensors of drawn arguments, made to have gradients."""
    found: list[Tensor] = []
    for value in drawn.values():
        if isinstance(value, tuple):
            found += value
        elif isinstance(value, Tensor):
            found.append(value)
    return [tensor.requires_grad_() for tensor in found]

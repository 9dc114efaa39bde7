"""The recurrence step by step in PyTorch operations: what every other form is measured against."""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import Arguments


def run(given: Arguments) -> tuple[Tensor, Tensor]:
    """Outputs ``[T / every, B, H, V]`` and the last state ``[B, H, V, K]``."""
    state = given.first_state()  # [B, H, V, K]
    outputs = []
    for step in range(given.steps):
        removed = None
        if given.erase_from is not None and given.erase_to is not None:
            seen = state @ given.erase_from[step].unsqueeze(-1)  # [B, H, V, 1]
            removed = seen * given.erase_to[step].unsqueeze(-2)  # [B, H, V, K]
        written = given.value[step].unsqueeze(-1) * given.key[step].unsqueeze(-2)  # [B, H, V, K]
        if given.decay is not None:
            scalar = given.decay.ndim == 3
            decay = given.decay[step].unsqueeze(-1) if scalar else given.decay[step]
            state = state * decay.unsqueeze(-2)
        if removed is not None:
            state = state - removed
        state = state + written
        if (step + 1) % given.every == 0:
            query = given.query[step // given.every].unsqueeze(-1)  # [B, H, K, 1]
            outputs.append((state @ query).squeeze(-1))  # [B, H, V]
    return torch.stack(outputs), state

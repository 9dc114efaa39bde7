"""How much of each step's value there is in each answer of a matrix state."""

from __future__ import annotations

import torch
from torch import Tensor


def influences(
    query: Tensor,
    key: Tensor,
    *,
    decay: Tensor | None = None,
    erase: tuple[Tensor, Tensor] | None = None,
    every: int = 1,
) -> Tensor:
    """The weight of the value of each step in each answer: ``[T / every, B, H, T]``.

    An answer is linear in the values that were written (``linear_state`` has the symbols)::

        o_t = sum over s <= t of p_ts v_s,    p_ts = k_s^T A_{s+1} ... A_t q_t

    The product is taken from the right, for all answers at once: back from the last step, each
    query is carried to the step before. Weights of later steps are 0.
    """
    steps = len(key)
    if decay is not None and decay.ndim == 3:
        decay = decay.unsqueeze(3)  # [T, B, H, 1]
    carried = torch.zeros_like(query)  # A_{s+1} ... A_t q_t for every answer t
    weights = []
    for step in reversed(range(steps)):
        if (step + 1) % every == 0:
            answer = step // every
            carried = torch.cat([carried[:answer], query[answer:][:1], carried[answer + 1 :]])
        weights.append((carried * key[step]).sum(dim=3))  # [T / every, B, H]
        moved = carried if decay is None else carried * decay[step]
        if erase is not None:
            moved = moved - erase[0][step] * (carried * erase[1][step]).sum(dim=3, keepdim=True)
        carried = moved
    return torch.stack(weights[::-1], dim=3)

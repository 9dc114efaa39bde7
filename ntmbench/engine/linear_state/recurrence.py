"""The recurrence of matrix states as a loop of PyTorch operations."""

from __future__ import annotations

import torch
from torch import Tensor


def linear_state(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    decay: Tensor | None = None,
    erase: tuple[Tensor, Tensor] | None = None,
    state: Tensor | None = None,
    every: int = 1,
) -> tuple[Tensor, Tensor]:
    """Write values under keys into a matrix, step by step, and read it with queries.

    With the state S_t, a matrix of V rows and K columns for each head::

        S_t = S_{t-1} A_t + v_t k_t^T,    A_t = diag(w_t) - a_t b_t^T,    o_t = S_t q_t

    Args:
        query: q, ``[T / every, B, H, K]``.
        key: k, ``[T, B, H, K]``.
        value: v, ``[T, B, H, V]``.
        decay: w, ``[T, B, H]`` (one number for all columns) or ``[T, B, H, K]``; 1 if None.
        erase: a and b, both ``[T, B, H, K]``; nothing is erased if None.
        state: S_0, ``[B, H, V, K]``; zeros if None.
        every: steps of the state between two answers.

    Returns:
        The answers ``[T / every, B, H, V]``, and the last state ``[B, H, V, K]``.
    """
    steps, batch_size, heads, columns = key.shape
    if state is None:
        state = value.new_zeros(batch_size, heads, value.shape[-1], columns)
    if decay is not None and decay.ndim == 3:
        decay = decay.unsqueeze(3)  # [T, B, H, 1]
    answers = []
    for step in range(steps):
        before = state
        if decay is not None:
            state = state * decay[step].unsqueeze(2)  # [B, H, V, K]
        if erase is not None:
            found = before @ erase[0][step].unsqueeze(3)  # [B, H, V, 1]
            state = state - found * erase[1][step].unsqueeze(2)
        state = state + value[step].unsqueeze(3) * key[step].unsqueeze(2)
        if (step + 1) % every == 0:
            answers.append((state @ query[step // every].unsqueeze(3)).squeeze(3))  # [B, H, V]
    return torch.stack(answers), state

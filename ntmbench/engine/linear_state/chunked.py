"""The recurrence in chunks of steps, each by matrix products: the parallel form of the field.

With ``D(s, t)`` for the decays of steps s + 1 to t multiplied, a chunk that begins with the state
``S`` writes ``v_s k_s^T`` and takes away ``u_s b_s^T`` at its step s, where

    u_t = S D(0, t - 1) a_t + sum over s < t of (v_s k_s^T - u_s b_s^T) D(s, t - 1) a_t.

That is a triangular system for the u of the chunk. Outputs and the next state are sums of the same
kind. Decays must be positive, since they are divided through their logarithms.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import Arguments


def run(given: Arguments, chunk: int) -> tuple[Tensor, Tensor]:
    """Outputs ``[T / every, B, H, V]`` and the last state ``[B, H, V, K]``."""
    key, value = _rows(given.key), _rows(given.value)  # [B, H, T, K] and [B, H, T, V]
    query = _rows(given.query)  # [B, H, T / every, K]
    logs = None
    if given.decay is not None:
        decay = given.decay.unsqueeze(-1) if given.decay.ndim == 3 else given.decay
        logs = _rows(decay).log()  # [B, H, T, 1 or K]
    state = given.first_state()
    outputs = []
    size = max(1, chunk // given.every) * given.every
    for first in range(0, given.steps, size):
        part = slice(first, min(first + size, given.steps))
        since = None if logs is None else logs[:, :, part].cumsum(2)  # [B, H, C, 1 or K]
        keys, values = key[:, :, part], value[:, :, part]
        removed = None
        if given.erase_from is not None and given.erase_to is not None:
            a, b = _rows(given.erase_from)[:, :, part], _rows(given.erase_to)[:, :, part]
            before = None if since is None or logs is None else since - logs[:, :, part]
            lead = _decayed(a, before) @ state.mT  # [B, H, C, V]
            lead = lead + _scores(a, before, keys, since, -1) @ values
            system = _scores(a, before, b, since, -1)  # [B, H, C, C]
            removed = (
                torch.linalg.solve_triangular(
                    system + torch.eye(system.shape[-1], dtype=system.dtype, device=system.device),
                    lead,
                    upper=False,
                    unitriangular=True,
                ),
                b,
            )
        asked = query[:, :, first // given.every : part.stop // given.every]
        seen = None if since is None else since[:, :, given.every - 1 :: given.every]
        output = _decayed(asked, seen) @ state.mT  # [B, H, C / every, V]
        output = output + _scores(asked, seen, keys, since, 0, given.every) @ values
        end = None if since is None else since[:, :, -1:]
        state = state if end is None else state * end.exp()
        state = state + values.mT @ _left(keys, end, since)
        if removed is not None:
            u, b = removed
            output = output - _scores(asked, seen, b, since, 0, given.every) @ u
            state = state - u.mT @ _left(b, end, since)
        outputs.append(output)
    return torch.cat(outputs, 2).permute(2, 0, 1, 3), state


def _rows(tensor: Tensor) -> Tensor:
    """``[T, B, H, ...]`` as ``[B, H, T, ...]``."""
    return tensor.permute(1, 2, 0, 3)


def _decayed(rows: Tensor, since: Tensor | None) -> Tensor:
    return rows if since is None else rows * since.exp()


def _left(rows: Tensor, end: Tensor | None, since: Tensor | None) -> Tensor:
    """What is left of rows at the end of the chunk."""
    return rows if end is None or since is None else rows * (end - since).exp()


def _scores(
    later: Tensor,
    at: Tensor | None,
    earlier: Tensor,
    since: Tensor | None,
    diagonal: int,
    every: int = 1,
) -> Tensor:
    """Products of later rows with earlier ones that have decayed until then, ``[B, H, C', C]``.

    Row i comes after step ``every * (i + 1) - 1``. Later steps count as zero, and with a diagonal
    of -1 its own step too.
    """
    rows, columns = later.shape[2], earlier.shape[2]
    ends = every * torch.arange(1, rows + 1, device=later.device) - 1
    allowed = torch.arange(columns, device=later.device) <= ends[:, None] + diagonal  # [C', C]
    if at is None or since is None:
        return (later @ earlier.mT) * allowed
    left = (at.unsqueeze(3) - since.unsqueeze(2)).masked_fill(~allowed[..., None], -torch.inf)
    if left.shape[-1] == 1:
        return (later @ earlier.mT) * left.squeeze(-1).exp()
    return torch.einsum("bhik,bhjk,bhijk->bhij", later, earlier, left.exp())

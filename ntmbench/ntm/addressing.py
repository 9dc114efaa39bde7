"""The addressing mechanisms of the Neural Turing Machine, as pure functions.

Equations (1) to (9) of section 3 of Graves, Wayne and Danihelka, "Neural Turing Machines" (2014,
arXiv:1410.5401), in the paper's order and terms. Shapes: B sequences, H heads, R read and W write
heads, N memory slots of M numbers, S allowed shifts. Every function works on all heads at once.

Values and gradients are finite for all finite arguments in the stated ranges, zero rows, zero keys
and zero weights included; rows and keys are squared, so their magnitudes must stay below 1e18 in
float32.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ntmbench.ntm.limits import SQUARED_NORM_FLOOR, WEIGHT_FLOOR


def cosine_similarity(memory: Tensor, keys: Tensor) -> Tensor:
    """Compare every key with every row, eq. (6).

    Args:
        memory: ``[B, N, M]``.
        keys: ``[B, H, M]``.

    Returns:
        ``[B, H, N]`` in [-1, 1]; 0 where the row or the key is zero.
    """
    return _unit(keys) @ _unit(memory).transpose(1, 2)


def content_weighting(memory: Tensor, keys: Tensor, key_strength: Tensor) -> Tensor:
    """Focus on the rows that resemble a key, eq. (5).

    Args:
        memory: ``[B, N, M]``.
        keys: ``[B, H, M]``.
        key_strength: ``[B, H]``, not negative.

    Returns:
        ``[B, H, N]``, each weighting summing to one.
    """
    return torch.softmax(key_strength.unsqueeze(-1) * cosine_similarity(memory, keys), dim=-1)


def interpolate(content: Tensor, previous: Tensor, gate: Tensor) -> Tensor:
    """Blend the content weighting with the one of the step before, eq. (7).

    Args:
        content: ``[B, H, N]``.
        previous: ``[B, H, N]``.
        gate: ``[B, H]`` in [0, 1]; 1 takes the content weighting alone.

    Returns:
        ``[B, H, N]``.
    """
    gate = gate.unsqueeze(-1)
    return gate * content + (1 - gate) * previous


def circular_shift(weighting: Tensor, shift: Tensor) -> Tensor:
    """Rotate a weighting by a distribution over shifts, eq. (8).

    Args:
        weighting: ``[B, H, N]``.
        shift: ``[B, H, S]`` with S odd, summing to one: the probabilities of moving by
            -(S // 2), ..., 0, ..., S // 2 slots. S may exceed N.

    Returns:
        ``[B, H, N]``; a positive move takes the weight of slot i to slot i + 1, and of the last
        slot to slot 0.
    """
    width = shift.shape[-1]
    moved = [torch.roll(weighting, move, dims=-1) for move in range(-(width // 2), width // 2 + 1)]
    return (torch.stack(moved, dim=-1) @ shift.unsqueeze(-1)).squeeze(-1)


def sharpen(weighting: Tensor, sharpening: Tensor) -> Tensor:
    """Raise a weighting to a power and normalise it again, eq. (9), in log space.

    Args:
        weighting: ``[B, H, N]``, not negative.
        sharpening: ``[B, H]``, at least 1.

    Returns:
        ``[B, H, N]``, each weighting summing to one.
    """
    logarithm = torch.log(weighting.clamp(min=WEIGHT_FLOOR))
    return torch.softmax(sharpening.unsqueeze(-1) * logarithm, dim=-1)


def read(memory: Tensor, weightings: Tensor) -> Tensor:
    """Read the weighted sum of the rows, eq. (2).

    Args:
        memory: ``[B, N, M]``.
        weightings: ``[B, R, N]``.

    Returns:
        ``[B, R, M]``.
    """
    return weightings @ memory


def write(memory: Tensor, weightings: Tensor, erases: Tensor, adds: Tensor) -> Tensor:
    """Erase and then add, eqs. (3) and (4); the order of the heads does not matter.

    Args:
        memory: ``[B, N, M]``.
        weightings: ``[B, W, N]``.
        erases: ``[B, W, M]`` in [0, 1].
        adds: ``[B, W, M]``.

    Returns:
        ``[B, N, M]``: memory * prod_i (1 - w_i e_i^T) + sum_i w_i a_i^T.
    """
    kept = 1 - weightings.unsqueeze(-1) * erases.unsqueeze(-2)  # [B, W, N, M]
    return memory * kept.prod(dim=1) + weightings.transpose(1, 2) @ adds


def _unit(vectors: Tensor) -> Tensor:
    squared_norm = (vectors * vectors).sum(dim=-1, keepdim=True)
    return vectors * torch.rsqrt(squared_norm + SQUARED_NORM_FLOOR)

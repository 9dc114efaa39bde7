"""What the kernels cannot run."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ntmbench.engine.obstacle import any_tangent, multiplies_and_adds_at_once, watched_by


def is_obstructed(tensors: Sequence[Tensor]) -> bool:
    """Whether the kernels cannot run these tensors, of which they take the addresses."""
    return (
        watched_by() is not None
        or any(not tensor.is_cpu or tensor.dtype != torch.float32 for tensor in tensors)
        or torch.is_autocast_enabled("cpu")
        or any_tangent(tensors)
        or not multiplies_and_adds_at_once()
    )

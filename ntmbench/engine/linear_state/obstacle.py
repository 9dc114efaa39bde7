"""What the kernels cannot run."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad


def is_obstructed(tensors: Sequence[Tensor]) -> bool:
    """Whether the kernels cannot run these tensors.

    They take addresses: they would misread a tensor of another type or device, and PyTorch does not
    see what they do with the numbers.
    """
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        or torch._C._are_functorch_transforms_active()
        or any(not tensor.is_cpu or tensor.dtype != torch.float32 for tensor in tensors)
        or torch.is_autocast_enabled("cpu")
        or _any_tangent(tensors)
        or not _multiplies_and_adds_at_once()
    )


def _any_tangent(tensors: Sequence[Tensor]) -> bool:
    # Outside every dual_level there is none, so that no tensor has to be asked.
    return forward_ad._current_level >= 0 and any(
        forward_ad.unpack_dual(tensor).tangent is not None  # type: ignore[no-untyped-call]
        for tensor in tensors
    )


@functools.cache
def _multiplies_and_adds_at_once() -> bool:
    # Imported here, because Numba takes its time to import.
    from ntmbench.engine.processor import FUSED_MULTIPLY_ADD

    return FUSED_MULTIPLY_ADD

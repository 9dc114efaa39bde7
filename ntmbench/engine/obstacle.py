"""What no compiled kernel can run: it takes addresses, and PyTorch does not see what it does."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad


def watched_by() -> str | None:
    """What follows or records the operations of PyTorch just now, or None."""
    if torch.compiler.is_compiling():
        return "inside torch.compile or torch.export"
    if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return "inside torch.jit.trace"
    if torch._C._are_functorch_transforms_active():
        return "inside transforms of torch.func"
    return None


def any_tangent(tensors: Sequence[Tensor]) -> bool:
    """Whether a tensor takes part in forward mode automatic differentiation."""
    # Outside every dual_level there is none, so that no tensor has to be asked.
    return forward_ad._current_level >= 0 and any(
        forward_ad.unpack_dual(tensor).tangent is not None  # type: ignore[no-untyped-call]
        for tensor in tensors
    )


def is_obstructed(tensors: Sequence[Tensor]) -> bool:
    """Whether kernels in float32 cannot run these tensors, of which they take the addresses."""
    return (
        watched_by() is not None
        or any(not tensor.is_cpu or tensor.dtype != torch.float32 for tensor in tensors)
        or torch.is_autocast_enabled("cpu")
        or any_tangent(tensors)
        or not multiplies_and_adds_at_once()
    )


def plain_layers(layers: Sequence[nn.Module]) -> bool:
    """Whether kernels compute just what these layers do: PyTorch's own, into which nobody hooked.

    They are linear maps with a bias, rectifiers, and layers that hold such layers in a row.
    """
    return unhooked(layers) and all(
        type(layer) in (nn.Linear, nn.ReLU, nn.Sequential)
        and (not isinstance(layer, nn.Linear) or layer.bias is not None)
        for layer in layers
    )


def unhooked(modules: Iterable[nn.Module]) -> bool:
    """Whether nobody hooked into any of the modules, which kernels would not call."""
    return not any(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        for module in modules
    )


@functools.cache
def multiplies_and_adds_at_once() -> bool:
    """Whether the processor has the fused multiply-add that kernels are written for."""
    # Imported here, because Numba takes its time to import.
    from ntmbench.engine.processor import FUSED_MULTIPLY_ADD

    return FUSED_MULTIPLY_ADD

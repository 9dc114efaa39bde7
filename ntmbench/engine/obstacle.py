"""What no compiled kernel can run: it takes addresses, and PyTorch does not see what it does."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from .inputs import check_kinds, is_autocast


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


def obstacle_to(
    tensors: Sequence[Tensor], dtypes: Collection[torch.dtype] = (torch.float32,)
) -> str | None:
    """What keeps kernels from running tensors, of which they take the addresses; None if nothing.

    A few words that follow "cannot run".
    """
    if watched := watched_by():
        return watched
    if any(is_autocast(device) for device in {tensor.device.type for tensor in tensors}):
        return "inside torch.autocast"  # which chooses the type of the results
    found = {tensor.dtype for tensor in tensors}
    if len(found) > 1 or not found <= set(dtypes):
        return f"in {' and '.join(sorted(map(str, found)))}"
    for tensor in tensors:
        if not tensor.is_cpu:
            return f"on {tensor.device.type}"
    if any_tangent(tensors):
        return "in forward mode automatic differentiation"
    if not multiplies_and_adds_at_once():
        return "on a processor without fused multiply-add"
    return None


def obstacle_to_model(
    owner: str,
    inputs: Tensor,
    weights: Sequence[Tensor],
    dtypes: Collection[torch.dtype] = (torch.float32,),
) -> str | None:
    """The same for the inputs and weights of a model.

    Raises:
        ModelError: for inputs of a type or on a device that do not go with the weights.
    """
    obstacle = obstacle_to((inputs, *weights), dtypes)
    if obstacle is not None and watched_by() is None:
        check_kinds(owner, inputs, weights)
    return obstacle


def obstacle_in(layers: Iterable[nn.Module]) -> str | None:
    """What keeps kernels from computing these layers; None if nothing.

    Allowed are linear maps with a bias, rectifiers and sequences of them, without hooks. A few
    words that follow "cannot run".
    """
    for layer in layers:
        if hooked([layer]):
            return "with hooks on its layers"
        if type(layer) not in (nn.Linear, nn.ReLU, nn.Sequential):
            return f"with a layer of the kind {type(layer).__name__}"
        if isinstance(layer, nn.Linear) and layer.bias is None:
            return "with a layer without bias"
    return None


def hooked(modules: Iterable[nn.Module]) -> bool:
    """Whether somebody hooked into one of the modules, which kernels would not call."""
    return any(
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

"""What the kernels cannot run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ntmbench.ntm.checks import check_kinds, is_autocast

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings

_DTYPES = {torch.float32, torch.float64}


def obstacle_of(settings: NTMSettings, inputs: Tensor, tensors: Sequence[Tensor]) -> str | None:
    """What the fused engine cannot run, or None.

    The kernels take addresses: they would misread a tensor of another type or device, and PyTorch
    does not see what they do with the numbers.

    Args:
        settings: the NTM's settings.
        inputs: ``[T, B, in]``.
        tensors: all of the NTM's weights and first values.

    Raises:
        ModelError: for what no engine could run, since inputs and tensors do not go together.
    """
    if settings.controller not in ("lstm", "feedforward"):
        return f"model.controller={settings.controller}"
    if torch.compiler.is_compiling():
        return "inside torch.compile or torch.export"
    if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return "inside torch.jit.trace"
    if torch._C._are_functorch_transforms_active():
        return "inside transforms of torch.func"
    if is_autocast(inputs.device.type):  # its logits have the type that autocast chooses
        return "inside torch.autocast"
    dtypes = {inputs.dtype, *(tensor.dtype for tensor in tensors)}
    if not dtypes <= _DTYPES or len(dtypes) > 1:
        check_kinds(inputs, tensors)
        return f"in {' and '.join(sorted(map(str, dtypes)))}"
    for tensor in (inputs, *tensors):
        if not tensor.is_cpu:
            check_kinds(inputs, tensors)
            return f"on {tensor.device.type}"
    if _any_tangent((inputs, *tensors)):
        return "in forward mode automatic differentiation"
    if not _multiplies_and_adds_at_once():
        return "on a processor without fused multiply-add"
    return None


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

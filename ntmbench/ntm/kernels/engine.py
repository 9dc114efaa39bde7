"""Which engine runs: the fused one wherever it can."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ntmbench.errors import SettingError
from ntmbench.ntm.settings import NTMSettings

_LOG = logging.getLogger("ntmbench")
_DTYPES = {torch.float32, torch.float64}


def use_fused(settings: NTMSettings, inputs: Tensor, tensors: Sequence[Tensor]) -> bool:
    """Whether the fused engine runs these inputs; the log says once why it does not.

    Args:
        settings: of the NTM.
        inputs: ``[T, B, in]``.
        tensors: all of the NTM's weights and first values.

    Raises:
        SettingError: if ``model.engine=fused`` is asked for what the fused engine can not do.
    """
    if settings.engine == "eager":
        return False
    obstacle = _obstacle(settings, inputs, tensors)
    if obstacle is None:
        return True
    if settings.engine == "fused":
        raise SettingError(f"model.engine=fused can not run {obstacle}. Allowed: auto, eager.")
    if not torch.compiler.is_compiling():  # which takes no logging
        _say(obstacle)
    return False


def is_autocast(device: str) -> bool:
    """Whether PyTorch's automatic mixed precision is on for this type of device."""
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)


def _obstacle(settings: NTMSettings, inputs: Tensor, tensors: Sequence[Tensor]) -> str | None:
    """What the fused engine can not run.

    The kernels take addresses: they would read a tensor of another type or device for what it is
    not, and PyTorch does not see what they do with the numbers.
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
        return f"in {' and '.join(sorted(map(str, dtypes)))}"
    for tensor in (inputs, *tensors):
        if not tensor.is_cpu:
            return f"on {tensor.device.type}"
        if forward_ad.unpack_dual(tensor).tangent is not None:  # type: ignore[no-untyped-call]
            return "in forward mode automatic differentiation"
    if not _multiplies_and_adds_at_once():
        return "on a processor without fused multiply-add"
    return None


@functools.cache
def _multiplies_and_adds_at_once() -> bool:
    # Imported here: it brings Numba, which takes its time.
    from .simd import FUSED_MULTIPLY_ADD

    return FUSED_MULTIPLY_ADD


@functools.cache
def _say(obstacle: str) -> None:
    _LOG.info("The NTM runs on the eager engine: the fused one can not run %s.", obstacle)

"""What the kernels cannot run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ntmbench.engine.obstacle import any_tangent, multiplies_and_adds_at_once, watched_by
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
    if watched := watched_by():
        return watched
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
    if any_tangent((inputs, *tensors)):
        return "in forward mode automatic differentiation"
    if not multiplies_and_adds_at_once():
        return "on a processor without fused multiply-add"
    return None

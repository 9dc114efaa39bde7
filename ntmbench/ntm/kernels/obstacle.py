"""What the kernels cannot run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ntmbench.engine.obstacle import obstacle_to_model

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
    return obstacle_to_model("NTM", inputs, tensors, _DTYPES)

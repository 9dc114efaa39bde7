"""Which engine runs: the fused one wherever it can."""

from __future__ import annotations

import functools
import logging

import torch
from torch import Tensor

from ntmbench.ntm.settings import NTMSettings
from ntmbench.settings import SettingError

_LOG = logging.getLogger("ntmbench")


def use_fused(settings: NTMSettings, inputs: Tensor, weight: Tensor) -> bool:
    """Whether the fused engine runs these inputs; the log says once why it does not.

    Raises:
        SettingError: if ``model.engine=fused`` is asked for what the fused engine can not do.
    """
    if settings.engine == "eager":
        return False
    obstacle = _obstacle(settings, inputs, weight)
    if obstacle is None:
        return True
    if settings.engine == "fused":
        raise SettingError(f"model.engine=fused can not run {obstacle}. Allowed: auto, eager.")
    _say(obstacle)
    return False


def _obstacle(settings: NTMSettings, inputs: Tensor, weight: Tensor) -> str | None:
    if settings.controller not in ("lstm", "feedforward"):
        return f"model.controller={settings.controller}"
    for tensor in (inputs, weight):
        if tensor.device.type != "cpu":
            return f"on {tensor.device.type}"
        if tensor.dtype not in (torch.float32, torch.float64):
            return f"in {tensor.dtype}"
    if inputs.dtype != weight.dtype:
        return f"inputs in {inputs.dtype} with weights in {weight.dtype}"
    return None


@functools.cache
def _say(obstacle: str) -> None:
    _LOG.info("The NTM runs on the eager engine: the fused one can not run %s.", obstacle)

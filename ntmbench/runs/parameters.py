"""The number of parameters of a model, by its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch

from ntmbench.registry import make_model

#: What has been counted: by model, settings as JSON, and the widths of input and output.
_counted: dict[tuple[str, str, int, int], int] = {}


def count_parameters(
    model: str,
    settings: Mapping[str, Any],
    input_width: int,
    output_width: int,
    *,
    device: str = "meta",
) -> int:
    """How many parameters a model has; what was counted before is known.

    On ``meta`` a model need not fit into memory, as its weights get no numbers. Small ones are
    counted in less time on ``cpu``: PyTorch imports SymPy and Dynamo to compute the initial weights
    of some models without numbers, which takes seconds.

    Raises:
        SettingError: for settings that the model does not allow.
        RuntimeError: on ``meta``, for a model that can be built only with numbers.
    """
    key = (model, json.dumps(settings, sort_keys=True, default=repr), input_width, output_width)
    if key not in _counted:
        with torch.device(device):
            built = make_model(model, input_width, output_width, **settings)
        _counted[key] = sum(parameter.numel() for parameter in built.parameters())
    return _counted[key]

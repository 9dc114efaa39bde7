"""Whether inputs and weights go together, before any engine sees them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ntmbench.errors import ModelError

#: Types of devices that have automatic mixed precision here. They are looked up once:
#: torch.compile cannot compile the call in PyTorch 2.11.
AUTOCAST_DEVICES = frozenset(
    device for device in ("cpu", "cuda", "mps", "xpu") if torch.amp.is_autocast_available(device)
)


def is_autocast(device: str) -> bool:
    """Whether PyTorch's automatic mixed precision is on for this type of device."""
    return device in AUTOCAST_DEVICES and torch.is_autocast_enabled(device)


def check_shape(owner: str, inputs: Tensor, width: int) -> None:
    """Raise ValueError unless the inputs are ``[T, B, width]``, with T and B at least 1."""
    if inputs.ndim != 3 or inputs.shape[2] != width or 0 in inputs.shape:
        raise ValueError(
            f"{owner} takes inputs [T, B, {width}], T and B at least 1; "
            f"these are {list(inputs.shape)}."
        )


def check_kinds(owner: str, inputs: Tensor, tensors: Sequence[Tensor]) -> None:
    """Raise ModelError unless all tensors have one type and device, and the inputs go with them.

    Integers and shorter floats go with longer ones. Under autocast, which converts what it must,
    every type is accepted.
    """
    if is_autocast(inputs.device.type):
        return
    if len({(tensor.dtype, tensor.device) for tensor in tensors}) > 1:
        kinds = sorted({_kind(tensor) for tensor in tensors})
        raise ModelError(
            f"The {owner}'s weights are {' and '.join(kinds)}. "
            "Expected: one type and one device, as model.to(...) gives them."
        )
    like = tensors[0]
    fits = torch.promote_types(inputs.dtype, like.dtype) == like.dtype
    if not fits or inputs.device != like.device:
        raise ModelError(
            f"The {owner}'s weights are {_kind(like)}, but its inputs {_kind(inputs)}."
        )


def _kind(tensor: Tensor) -> str:
    return f"{tensor.dtype} on {tensor.device}"

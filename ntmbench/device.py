"""The device that a run is trained on: the one that was asked for, or the quicker one."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Sequence

import torch
from torch import nn

from ntmbench.settings import UserError

#: Calls before the clock counts: the first compile kernels and fill caches.
WARM_UP = 2
#: Calls of which the quickest counts.
TRIALS = 3

_LOG = logging.getLogger("ntmbench")

Step = Callable[[nn.Module, torch.device], None]


class DeviceError(UserError):
    """The device that was asked for is not there."""


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises:
        DeviceError: if CUDA is asked for and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceError("device=cuda, but PyTorch sees no GPU here. Allowed: device=cpu, auto.")


def choose_device(device: str, model: nn.Module, step: Step) -> torch.device:
    """The device for ``device``: cpu, cuda or auto.

    ``auto`` makes a few training steps of a copy of ``model`` on each device that is there, and
    takes the quicker one. A GPU that launches small kernels one by one is often the slower one.

    Args:
        device: auto, cpu or cuda.
        model: the model, which stays as it is.
        step: one training step, forward and backward, of a model on a device.

    Raises:
        DeviceError: if CUDA is asked for and there is none.
    """
    check_device(device)
    if device != "auto":
        return torch.device(device)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return quickest([torch.device("cpu"), torch.device("cuda")], model, step)


def quickest(
    devices: Sequence[torch.device],
    model: nn.Module,
    step: Step,
    clock: Callable[[], float] = time.perf_counter,
) -> torch.device:
    """The device on which ``step`` takes the least time; one without room for it is left out.

    Raises:
        torch.OutOfMemoryError: if no device has room.
    """
    seconds: dict[torch.device, float] = {}
    full: torch.OutOfMemoryError | None = None
    for device in devices:
        try:
            seconds[device] = _time(device, copy.deepcopy(model), step, clock)
        except torch.OutOfMemoryError as error:
            full = error
    if not seconds:
        assert full is not None
        raise full
    chosen = min(seconds, key=lambda device: seconds[device])
    tried = ", ".join(f"{on.type} {1000 * taken:.1f} ms" for on, taken in seconds.items())
    _LOG.info("A training step takes: %s. Training on %s.", tried, chosen.type)
    return chosen


def _time(device: torch.device, model: nn.Module, step: Step, clock: Callable[[], float]) -> float:
    model.to(device)
    for _ in range(WARM_UP):
        step(model, device)
    taken = []
    for _ in range(TRIALS):
        started = clock()
        step(model, device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(clock() - started)
    return min(taken)

"""The device that a run is trained on: the requested one, or the quicker one."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.errors import UserError, check_choice
from ntmbench.model import TensorBatch
from ntmbench.task import Task
from ntmbench.training.checkpoint import load_checkpoint
from ntmbench.training.gradient import backward, own_random_state
from ntmbench.training.settings import DEVICES, TrainSettings

#: Calls before any is timed: the first ones compile kernels and fill caches.
WARM_UP = 2
#: Timed calls, of which the quickest counts.
TRIALS = 3

_LOG = logging.getLogger("ntmbench")

Step = Callable[[nn.Module, torch.device], None]


class DeviceError(UserError):
    """The device that was asked for is not there."""


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises:
        DeviceError: if CUDA is asked for and there is none.
        SettingError: for no device at all.
    """
    check_choice("device", device, DEVICES)
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceError("device=cuda, but PyTorch sees no GPU here. Allowed: device=cpu, auto.")


def training_device(
    device: str,
    model: nn.Module,
    task: Task,
    settings: TrainSettings,
    checkpoint: Path | None = None,
    identity: str = "",
) -> torch.device:
    """The device to train on, for ``device``: cpu, cuda or auto.

    ``auto`` stays on the device of the checkpoint. Without a checkpoint it takes the device on
    which a step on the longest training sequences is quicker.

    Raises:
        CheckpointError: if the checkpoint is damaged or belongs to something else.
        DeviceError: if CUDA is asked for and there is none.
    """
    if device == "auto" and checkpoint is not None and checkpoint.exists():
        # Checkpoints of earlier versions do not name the device, and most are of the CPU.
        written = load_checkpoint(checkpoint, identity).get("device", "cpu")
        device = "cuda" if written == "cuda" and torch.cuda.is_available() else "cpu"
    with own_random_state(0, torch.device("cpu")):
        return choose_device(device, model, training_step(task, settings.batch_size))


def training_step(task: Task, batch_size: int) -> Step:
    """Forward and backward on a batch of the longest training sequences."""
    longest = task.length_range[1]

    def step(model: nn.Module, device: torch.device) -> None:
        words = RandomWords(Stream.VALIDATION, 3)  # the same sequences at every call
        drawn = task.draw(words, batch_size, longest, test=True)
        backward(model.train(), task, TensorBatch.of(drawn, device))

    return step


def choose_device(device: str, model: nn.Module, step: Step) -> torch.device:
    """The device for ``device``: cpu, cuda or auto.

    ``auto`` makes a few training steps of a copy of ``model`` on each device that is there, and
    takes the quicker one. A GPU that launches small kernels one by one is often slower.

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
    """The device on which ``step`` takes the least time.

    A device that cannot run it is left out: it may have no room, or a user's module may make
    tensors on another one.

    Raises:
        Exception: the first device's, if none can.
    """
    seconds: dict[torch.device, float] = {}
    failures: list[Exception] = []
    for device in devices:
        try:
            seconds[device] = step_seconds(device, copy.deepcopy(model), step, clock)
        except Exception as error:
            failures.append(error)
            _LOG.info("No training on %s: %s", device.type, " ".join(str(error).split()))
    if not seconds:
        raise failures[0]
    chosen = min(seconds, key=lambda device: seconds[device])
    tried = ", ".join(f"{on.type} {1000 * taken:.1f} ms" for on, taken in seconds.items())
    _LOG.info("A training step takes: %s. Training on %s.", tried, chosen.type)
    return chosen


def step_seconds(
    device: torch.device,
    model: nn.Module,
    step: Step,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """The seconds that ``step`` takes on ``device``, where ``model`` is put."""
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

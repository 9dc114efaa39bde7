"""When a run's checkpoint is written, what it holds, and how training goes on from it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from ntmbench.evaluation.answering import device_of
from ntmbench.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from ntmbench.training.optimizers import Optimizer
from ntmbench.training.state import TrainState


class Pause:
    """The time from one checkpoint to the next, from the time that the last one took to write."""

    def __init__(self, share: float) -> None:
        """Allow ``share`` of the time for writing."""
        self._factor = math.inf if share == 0 else 1 / share - 1
        self._over = math.inf

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Time what is written inside, and begin the next pause."""
        started = time.monotonic()
        yield
        ended = time.monotonic()
        self._over = ended + self._factor * max(ended - started, 1e-9)

    def is_over(self) -> bool:
        """Whether another checkpoint would stay within the share."""
        return time.monotonic() >= self._over


class Checkpointer:
    """Writes and reads the checkpoint of one training; it does nothing without a path."""

    def __init__(self, path: Path | None, identity: str, share: float) -> None:
        """Take the ``identity`` that the checkpoint belongs to; see ``Pause`` for ``share``."""
        self._path = path
        self._identity = identity
        self._pause = Pause(share)

    def exists(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return self._path is not None and self._path.exists()

    def is_due(self) -> bool:
        """Whether another checkpoint would stay within its share of the time."""
        return self._path is not None and self._pause.is_over()

    def save(self, state: TrainState, model: nn.Module, optimizer: Optimizer) -> None:
        """Write everything that training needs to resume with the same numbers."""
        if self._path is None:
            return
        packed = {
            "progress": state.packed(),
            "model": dict(model.state_dict()),
            "optimizer": optimizer.state(),
            "device": device_of(model).type,
            "random": torch.get_rng_state(),
        }
        with self._pause.measured():
            save_checkpoint(self._path, self._identity, packed)

    def restore(self, model: nn.Module, optimizer: Optimizer) -> TrainState:
        """Restore everything as it was when the checkpoint was written.

        Raises:
            CheckpointError: if it is damaged, belongs to something else, or holds other shapes.
        """
        assert self._path is not None
        packed = load_checkpoint(self._path, self._identity)
        expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
        found = {name: tensor.shape for name, tensor in packed["model"].items()}
        if expected != found:  # before anything is loaded, so that half a checkpoint never is
            raise CheckpointError(
                f"{self._path} holds weights of another shape than this model's. "
                "Move it away to start this run anew."
            )
        if packed["optimizer"]["kind"] != optimizer.state()["kind"]:
            raise CheckpointError(
                f"{self._path} was written on another kind of device. Go on with that device, or "
                "move it away to start this run anew."
            )
        model.load_state_dict(packed["model"])
        optimizer.load(packed["optimizer"])
        torch.set_rng_state(packed["random"])
        return TrainState.unpacked(packed["progress"])

"""The much-used PyTorch NTM (github.com/loudinthecloud/pytorch-ntm), from the user's own checkout.

Only its public interface is known here: ``ntm.aio.EncapsulatedNTM``, one call per step. It asks for
probabilities in the answer phase only, by calls without an input, and applies its heads in pairs.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from ntmbench.errors import UserError
from ntmbench.model import TensorBatch
from ntmbench.ntm.settings import NTMSettings


class PeerError(UserError):
    """The checkout is missing, or cannot be run."""


def check_checkout(checkout: Path) -> None:
    """Refuse a folder that is not a checkout of the peer, before anything is timed.

    Raises:
        PeerError: if it is not.
    """
    if not (checkout / "ntm" / "aio.py").is_file():
        raise PeerError(
            f"--peer {checkout} is not a checkout of github.com/loudinthecloud/pytorch-ntm: "
            "it has no ntm/aio.py."
        )
    with _reported(checkout):
        _import(checkout)


def training_step(checkout: Path, settings: NTMSettings, batch: TensorBatch) -> Callable[[], None]:
    """The peer's forward, loss and backward on ``batch``, with the sizes of ``settings``.

    Raises:
        PeerError: if it cannot be built. The step raises it too, if it cannot be run.
    """
    steps, size, inputs = batch.inputs.shape
    with _reported(checkout):
        net = _import(checkout).EncapsulatedNTM(
            inputs,
            batch.targets.shape[2],
            settings.controller_size,
            settings.controller_layers,
            settings.read_heads,  # pairs of a read and a write head
            settings.memory_slots,
            settings.word_size,
        )

    def step() -> None:
        with _reported(checkout):
            net.zero_grad()
            net.init_sequence(size)
            for shown in batch.inputs[: batch.answer_start]:
                net(shown)
            answers = [net()[0] for _ in range(steps - batch.answer_start)]
            targets = batch.targets[batch.answer_start :]
            functional.binary_cross_entropy(torch.stack(answers), targets).backward()  # type: ignore[no-untyped-call]

    return step


def _import(checkout: Path) -> Any:
    """The peer's module from this checkout, and from no other package of that name."""
    folder = checkout.resolve()
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module("ntm.aio")
    finally:
        sys.path.remove(str(folder))
    if not Path(str(module.__file__)).resolve().is_relative_to(folder):
        raise ImportError(f"another package named ntm is loaded, {module.__file__}")
    return module


@contextmanager
def _reported(checkout: Path) -> Iterator[None]:
    """Turn any failure of the peer's code into one line, and hide its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise PeerError(f"--peer {checkout} cannot be run: {reason}") from error

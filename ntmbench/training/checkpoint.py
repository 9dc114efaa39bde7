"""Checkpoints: tensors and plain values, written atomically, loaded whole or refused."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch

from ntmbench.data.files import write_atomically
from ntmbench.errors import UserError

FORMAT = 1


class CheckpointError(UserError):
    """A checkpoint is damaged, or belongs to another run."""


def save_checkpoint(path: Path, identity: str, state: Mapping[str, Any]) -> None:
    """Write ``state`` (tensors, plain values, lists and dicts of them) atomically.

    ``identity`` names what the state belongs to; loading requires the same.
    """
    content = {
        "format": FORMAT,
        "identity": identity,
        "state": dict(state),
        "digest": digest_of(state),
    }
    packed = io.BytesIO()  # PyTorch's own writer hides that a disk is full
    torch.save(content, packed)
    write_atomically(path, lambda file: _write(file, packed))


def _write(file: IO[bytes], packed: io.BytesIO) -> None:
    file.write(packed.getbuffer())


def load_checkpoint(path: Path, identity: str) -> dict[str, Any]:
    """Read what ``save_checkpoint`` wrote, onto the CPU.

    Raises:
        CheckpointError: if the file is damaged, or does not belong to ``identity``.
    """
    remedy = "Move it away to start this run anew."
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle may raise anything
        raise CheckpointError(
            f"{path} is damaged and cannot be read ({type(error).__name__}). {remedy}"
        ) from error
    if not (isinstance(content, dict) and content.keys() >= {"format", "identity", "state"}):
        raise CheckpointError(f"{path} is not a checkpoint of this suite. {remedy}")
    if content["format"] != FORMAT:
        raise CheckpointError(
            f"{path} has checkpoint format {content['format']}; this version reads {FORMAT}. "
            f"{remedy}"
        )
    if content["identity"] != identity:
        raise CheckpointError(
            f"{path} belongs to another run ({content['identity']}, not {identity}). {remedy}"
        )
    if content.get("digest") != digest_of(content["state"]):
        raise CheckpointError(f"{path} is damaged: its digest does not match. {remedy}")
    state: dict[str, Any] = content["state"]
    return state


def digest_of(state: Any) -> str:
    """SHA-256 over every key, value and tensor, since the file format checks no tensor's bytes."""
    digest = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                digest.update(f"{key!r}:".encode())
                add(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                add(inner)
        elif isinstance(value, torch.Tensor):
            array = value.detach().cpu().contiguous().numpy()
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())
        else:
            digest.update(f"{value!r},".encode())

    add(state)
    return digest.hexdigest()

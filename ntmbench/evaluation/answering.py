"""A model's answer to a batch, whatever kind of module it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from ntmbench.model import SequenceModel, TensorBatch, check_logits


def answer(
    model: nn.Module, batch: TensorBatch, *, teacher: bool = False, owner: str = "The model"
) -> Tensor:
    """Return any module's logits ``[T, B, out]``; it sees the targets only with ``teacher``.

    Raises:
        ModelError: naming ``owner``, for logits of another shape, which would be broadcast, or of
            another type.
    """
    inputs = batch.inputs.clone()  # a model may edit its input in place
    if isinstance(model, SequenceModel):
        targets = batch.targets.clone() if teacher else None
        logits = model.answer(inputs, batch.answer_start, targets)
    else:
        logits = model(inputs)
    check_logits(owner, logits, tuple(batch.targets.shape))
    return logits


@contextmanager
def enough_memory(model: nn.Module, items: int) -> Iterator[int | None]:
    """Enlarge an external memory to hold so many items, for as long as the context lasts.

    Yields the number of slots, or None if the model has no memory that can be enlarged. With 0
    items the memory stays as it is.
    """
    room = model.room_for(items) if isinstance(model, SequenceModel) else None
    with room or nullcontext() as slots:
        yield slots


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, without gradients, and back."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def device_of(model: nn.Module) -> torch.device:
    """The device of a model's parameters; the CPU if it has none."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device

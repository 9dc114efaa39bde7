"""SequenceModel and TensorBatch: the contract between models and the runner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntmbench.errors import ModelError
from ntmbench.task import Batch, Task
from ntmbench.trace import Trace


def check_logits(owner: str, logits: object, expected: tuple[int, ...]) -> None:
    """Raise ModelError, naming ``owner``, unless ``logits`` are float32 of the expected shape."""
    if not isinstance(logits, Tensor):
        raise ModelError(
            f"{owner} returned a {type(logits).__name__}. "
            f"Expected: a tensor of logits [T, B, out] = {list(expected)}."
        )
    if logits.shape != expected:
        raise ModelError(
            f"{owner} returned shape {list(logits.shape)}. "
            f"Expected: logits [T, B, out] = {list(expected)}."
        )
    if logits.dtype != torch.float32:
        raise ModelError(
            f"{owner} returned logits of type {logits.dtype}. Expected: torch.float32, "
            "as from logits.float()."
        )


@dataclass(frozen=True)
class TensorBatch:
    """A Batch as tensors on a device; the same fields and shapes."""

    inputs: Tensor  # [T, B, in]
    targets: Tensor  # [T, B, out]
    mask: Tensor  # [T, B]
    answer_start: int

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> TensorBatch:
        """Move a Batch to ``device``."""
        return cls(
            torch.from_numpy(batch.inputs).to(device),
            torch.from_numpy(batch.targets).to(device),
            torch.from_numpy(batch.mask).to(device),
            batch.answer_start,
        )


@contextmanager
def enlarged(model: nn.Module, size: str, least: int) -> Iterator[int]:
    """Let the attribute ``size`` of a model be ``least`` or more; yields what it is meanwhile."""
    before = getattr(model, size)
    setattr(model, size, max(before, least))
    try:
        yield getattr(model, size)
    finally:
        setattr(model, size, before)


class SequenceModel(nn.Module):
    """A module that maps a batch's inputs ``[T, B, in]`` to logits ``[T, B, out]``.

    Any ``nn.Module`` whose ``forward`` does so can be trained through ``model=custom``. The suite's
    own models derive from this class to say a little more about themselves. What the suite must
    know before it builds a model is stated in the model's registration.
    """

    def prepare(self, task: Task) -> None:
        """Learn for which task the model was made, before anything else is asked of it.

        ``train`` and ``evaluate`` call this, and so does whoever builds a model for a task; another
        call replaces the task. Most models ignore it. The oracle, a control, needs the task for its
        answers, and a decoder must know how its own answer is fed back. Whatever is kept of the
        task must stay out of the ``state_dict``.
        """

    def answer(self, inputs: Tensor, answer_start: int, targets: Tensor | None = None) -> Tensor:
        """Return logits ``[T, B, out]`` for inputs ``[T, B, in]``.

        The runner calls this in place of ``forward``. ``targets [T, B, out]`` are given in training
        only, for teacher forcing. A model that is fed its own outputs overrides this method.
        """
        logits: Tensor = self(inputs)
        return logits

    def room_for(self, items: int) -> AbstractContextManager[int | None]:
        """Enlarge an external memory to hold ``items``, for as long as the context lasts.

        Yields the number of slots, or None if the model has no memory that can be enlarged. The
        parameters stay as they are. ``enlarged`` does it for a memory whose size is an attribute.
        """
        return nullcontext()

    def state_floats(self, steps: int) -> int | None:
        """Numbers that are carried from step to step for a sequence of ``steps``; None if unknown.

        Memories are compared by this number. A fixed state has the same for every length; that of
        attention grows with the length.
        """
        return None

    def trace(self, inputs: Tensor) -> Trace | None:
        """Run ``inputs [T, B, in]`` without gradients, and return what the model did.

        None for a model that has nothing to show.
        """
        return None

    def trace_answer(self, inputs: Tensor, answer_start: int) -> Trace | None:
        """The trace of ``answer(inputs, answer_start)``, without gradients.

        The suite calls this in place of ``trace``. A model that needs to know where the answer
        starts overrides this method.
        """
        return self.trace(inputs)

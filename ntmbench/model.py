"""SequenceModel, TensorBatch and Trace: the contract between models and the runner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ntmbench.settings import UserError
from ntmbench.task import Batch, Task


class ModelError(UserError):
    """A model can not be built, or does not keep the contract."""


def check_logits(owner: str, logits: object, expected: tuple[int, ...]) -> None:
    """Raise ModelError, naming ``owner``, unless ``logits`` is a tensor of the expected shape."""
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


@dataclass(frozen=True)
class Trace:
    """What an external memory did at every step of T, for B sequences.

    R read and W write heads, N slots of M numbers, S allowed shifts (odd, centred on no shift).
    Of the gates, the read heads come first and then the write heads: H = R + W.
    """

    logits: Tensor  # [T, B, out]
    read_weightings: Tensor  # [T, B, R, N]
    write_weightings: Tensor  # [T, B, W, N]
    reads: Tensor  # [T, B, R, M]
    erases: Tensor  # [T, B, W, M]
    adds: Tensor  # [T, B, W, M]
    memory: Tensor  # [T, B, N, M], after the step's writes
    key_strength: Tensor  # [T, B, H]
    interpolation_gate: Tensor  # [T, B, H]
    shift: Tensor  # [T, B, H, S]
    sharpening: Tensor  # [T, B, H]


class SequenceModel(nn.Module):
    """A module that maps a batch's inputs ``[T, B, in]`` to logits ``[T, B, out]``.

    Any ``nn.Module`` whose ``forward`` does so can be trained through ``model=custom``; the suite's
    own models derive from this class to say a little more of themselves.
    """

    #: Whether the model must see a whole input before it answers (encoder and decoder).
    needs_input_phase: ClassVar[bool] = False
    #: Slots of an external memory, None without one. Setting it resizes the memory from the next
    #: forward pass on; the parameters stay as they are.
    memory_slots: int | None = None

    def prepare(self, task: Task) -> None:
        """Learn for which task the model was made, before anything else is asked of it.

        The runner and ``load_run`` call this once, right after the model was built; elsewhere
        whoever built the model does, if it needs it. Most models have no use for it: the oracle is
        a control and has no other way to its answers. What is kept of the task must stay out of
        the ``state_dict``.
        """

    def answer(self, inputs: Tensor, answer_start: int, targets: Tensor | None = None) -> Tensor:
        """Return logits ``[T, B, out]`` for inputs ``[T, B, in]``.

        The runner calls this in place of ``forward``. ``targets [T, B, out]`` are given in training
        only, for teacher forcing; a model that is fed its own outputs overrides this method.
        """
        logits: Tensor = self(inputs)
        return logits

    def trace(self, inputs: Tensor) -> Trace | None:
        """Run ``inputs [T, B, in]`` and return what the memory did; None without a memory."""
        return None

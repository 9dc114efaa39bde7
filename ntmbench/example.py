"""One test sequence as a model answered it: ``example.npz``, for pictures made without PyTorch."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntmbench.evaluation import answer, device_of, enough_memory
from ntmbench.files import write_bytes
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.task import Batch, Task

#: A picture of more steps than this can not be read.
READABLE_STEPS = 256

#: Of a trace, what is kept.
TRACED = ("read_weightings", "write_weightings", "reads", "adds")


def example_of(task: Task) -> tuple[int, Batch]:
    """A length, and the first test sequence of it: the same for every model of a task.

    It is the longest training length, halved until a picture of its steps can be read.
    """
    length = task.length_range[1]
    example = task.test_set(length, 1)
    while len(example.inputs) > READABLE_STEPS and length > task.shortest_length:
        length = max(task.shortest_length, length // 2)
        example = task.test_set(length, 1)
    return length, example


@torch.no_grad()
def answer_example(model: nn.Module, task: Task) -> dict[str, NDArray[Any]]:
    """Run a model on the task's example; the arrays of ``example.npz`` by name, float16.

    ``inputs [T, in]``, ``targets [T, out]``, ``mask [T]``, ``probabilities [T, out]`` and
    ``length``; for a model with a trace (R read and W write heads, N slots of M numbers) also
    ``read_weightings [T, R, N]``, ``write_weightings [T, W, N]``, ``reads [T, R, M]`` and
    ``adds [T, W, M]``.
    """
    length, example = example_of(task)
    batch = TensorBatch.of(example, device_of(model))
    was_training = model.training
    model.eval()
    try:
        with enough_memory(model, task, length):
            probabilities = torch.sigmoid(answer(model, batch))  # [T, 1, out]
            trace = model.trace(batch.inputs.clone()) if isinstance(model, SequenceModel) else None
    finally:
        model.train(was_training)
    shown = {
        "inputs": batch.inputs,
        "targets": batch.targets,
        "mask": batch.mask,
        "probabilities": probabilities,
    }
    if trace is not None:
        shown |= {name: getattr(trace, name) for name in TRACED}
    arrays: dict[str, NDArray[Any]] = {"length": np.array(length)}
    return arrays | {name: _of_one_sequence(tensor) for name, tensor in shown.items()}


def write_example(path: Path, model: nn.Module, task: Task) -> None:
    """Replace ``path`` by the arrays of ``answer_example``, compressed.

    Raises:
        OSError: if it can not be written.
    """
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **answer_example(model, task))
    write_bytes(path, packed.getvalue())


def _of_one_sequence(tensor: Tensor) -> NDArray[np.float16]:
    """``[T, 1, ...]`` to ``[T, ...]``."""
    return tensor[:, 0].cpu().numpy().astype(np.float16)

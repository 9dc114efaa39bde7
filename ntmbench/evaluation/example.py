"""One test sequence as a model answered it, as plain arrays: for pictures made without PyTorch."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ntmbench.evaluation.answering import answer, device_of, enough_memory, evaluating
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.task import Batch, Task

#: A picture of more steps than this cannot be read.
READABLE_STEPS = 256


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


def answer_example(model: nn.Module, task: Task) -> dict[str, NDArray[Any]]:
    """Run a model on the task's example; the arrays of ``example.npz`` by name, float16.

    ``inputs [T, in]``, ``targets [T, out]``, ``mask [T]``, ``probabilities [T, out]`` (of
    real answers the numbers) and ``length``. For a model with a trace also every signal that it
    wants drawn, ``[T, ...]`` under its name, and ``panels``: as JSON, a list of its panels, each
    with the names of its signal's axes.
    """
    length, example = example_of(task)
    batch = TensorBatch.of(example, device_of(model))
    with evaluating(model), enough_memory(model, task.demand(length)):
        shown = task.answer.shown(answer(model, batch))  # [T, 1, out]
        trace = model.trace(batch.inputs.clone()) if isinstance(model, SequenceModel) else None
    arrays = {
        "length": np.array(length),
        "inputs": _of_one_sequence(batch.inputs),
        "targets": _of_one_sequence(batch.targets),
        "mask": _of_one_sequence(batch.mask),
        "probabilities": _of_one_sequence(shown),
    }
    if trace is None:
        return arrays
    panels = []
    for panel in trace.panels:
        signal = trace.signals[panel.signal]
        arrays[panel.signal] = _of_one_sequence(signal.values)
        panels.append({**dataclasses.asdict(panel), "axes": signal.axes})
    return arrays | {"panels": np.array(json.dumps(panels))}


def _of_one_sequence(tensor: Tensor) -> NDArray[np.float16]:
    """``[T, 1, ...]`` to ``[T, ...]``."""
    return tensor[:, 0].cpu().numpy().astype(np.float16)

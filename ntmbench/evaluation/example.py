"""One test sequence and a model's answer as plain arrays, for pictures made without PyTorch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ntmbench.evaluation.answering import answer, device_of, enough_memory, evaluating
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.plotting.panels import Panel, pack_panels
from ntmbench.task import Batch, Task
from ntmbench.trace import Panel as TracePanel
from ntmbench.trace import Signal

#: A picture of more steps than this cannot be read.
READABLE_STEPS = 256


def example_of(task: Task) -> tuple[int, Batch]:
    """A length and its first test sequence, the same for every model of a task.

    The length is the longest of training, halved until a picture of its steps can be read.
    """
    length = task.length_range[1]
    example = task.test_set(length, 1)
    while len(example.inputs) > READABLE_STEPS and length > task.shortest_length:
        length = max(task.shortest_length, length // 2)
        example = task.test_set(length, 1)
    return length, example


def answer_example(model: nn.Module, task: Task) -> dict[str, NDArray[Any]]:
    """Run a model on the task's example; the arrays of ``example.npz`` by name, float16.

    They are ``inputs [T, in]``, ``targets [T, out]``, ``mask [T]``, ``probabilities [T, out]`` (the
    numbers, if the answers are real), ``length``, how the answer is drawn (``kind``, ``tolerance``)
    and what the channels are called (``input_names``, ``output_names``). For a model with a trace
    the panels that it wants drawn follow, see ``ntmbench.plotting.panels.pack_panels``.
    """
    length, example = example_of(task)
    batch = TensorBatch.of(example, device_of(model))
    with evaluating(model), enough_memory(model, task.demand(length)):
        shown = task.answer.shown(answer(model, batch))  # [T, 1, out]
        trace = None
        if isinstance(model, SequenceModel):
            trace = model.trace_answer(batch.inputs.clone(), batch.answer_start)
    arrays = {
        "length": np.array(length),
        "inputs": _of_one_sequence(batch.inputs),
        "targets": _of_one_sequence(batch.targets),
        "mask": _of_one_sequence(batch.mask),
        "probabilities": _of_one_sequence(shown),
        **{name: np.array(value) for name, value in asdict(task.answer.drawn()).items()},
        "input_names": np.array(task.input_names, np.str_),
        "output_names": np.array(task.output_names, np.str_),
    }
    if trace is None:
        return arrays
    return arrays | pack_panels(
        [_drawn(panel, trace.signals[panel.signal]) for panel in trace.panels]
    )


def _drawn(panel: TracePanel, signal: Signal) -> Panel:
    """A panel of the trace with the values of the one sequence."""
    *groups, rows = signal.axes
    return Panel(
        panel.title,
        rows,
        _of_one_sequence(signal.values),
        panel.scale,
        group=groups[0] if groups else "",
        circular=panel.circular,
    )


def _of_one_sequence(tensor: Tensor) -> NDArray[np.float16]:
    """``[T, 1, ...]`` to ``[T, ...]``."""
    # A view of a parameter, as a constant answer is, asks for a gradient even where none is kept.
    return tensor[:, 0].detach().cpu().numpy().astype(np.float16)

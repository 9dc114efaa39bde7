"""``python -m ntmbench.bench.first_step MODEL THREADS``: what ``first_call`` runs and times.

It takes the first training step of this process and prints its seconds.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from typing import Any

import torch

from ntmbench.bench.cases import CASES, training_step
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.registry import make_model, model_entry
from ntmbench.task import Task
from ntmbench.training.optimizers import make_optimizer
from ntmbench.training.settings import TrainSettings


def main() -> None:
    """Take the step with the command line's model and threads, and print the seconds."""
    name, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    case = CASES["copy-20"]
    model = fused_model(name, case.task)
    step = training_step(model, case.task, TensorBatch.of(case.batch(1), torch.device("cpu")))
    optimizer = make_optimizer(model, TrainSettings(weight_average=0.999))
    started = time.perf_counter()
    step()
    stepped = time.perf_counter()
    optimizer.step(0)
    updated = time.perf_counter()
    print(json.dumps({"model": stepped - started, "optimizer": updated - stepped}))


def fused_model(name: str, task: Task) -> SequenceModel:
    """A model with its default settings, which must run in its kernels if it has any."""
    known = {field.name for field in dataclasses.fields(model_entry(name).settings)}
    engine: dict[str, Any] = {"engine": "fused"} if "engine" in known else {}
    model = make_model(name, task.input_width, task.output_width, **engine)
    model.prepare(task)
    return model


if __name__ == "__main__":
    main()

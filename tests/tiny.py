"""Shared parts of the tests of training: a task of a few steps, settings, and a model."""

from __future__ import annotations

from typing import Any

from ntmbench.model import SequenceModel
from ntmbench.registry import make_model, make_task
from ntmbench.task import Task
from ntmbench.training.settings import TrainSettings

TASK = make_task("copy", bits=2, max_length=3)


def settings(**changes: Any) -> TrainSettings:
    """Ten steps, validated every fifth."""
    return TrainSettings(
        **{
            "sequences": 40,
            "batch_size": 4,
            "validate_every": 20,
            "validation_sequences": 32,
            "selection_sequences": 8,
            **changes,
        }
    )


def lstm(task: Task = TASK, seed: int = 0) -> SequenceModel:
    return make_model("lstm", task.input_width, task.output_width, seed=seed, hidden_size=8)

"""ntmbench: algorithmic memory tasks, and a fast Neural Turing Machine to solve them.

    from ntmbench import NTM, make_task, make_model, train, evaluate, load_results, load_run

The names below are imported on first use, so that a command that needs no PyTorch loads none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ntmbench.evaluation.grid import evaluate
    from ntmbench.model import SequenceModel
    from ntmbench.ntm.model import NTM
    from ntmbench.registry import make_model, make_task, register_model, register_task
    from ntmbench.runs.loading import load_run
    from ntmbench.runs.results import load_results
    from ntmbench.task import Batch, Task
    from ntmbench.training.loop import train
    from ntmbench.training.settings import TrainSettings

__all__ = [
    "NTM",
    "Batch",
    "SequenceModel",
    "Task",
    "TrainSettings",
    "evaluate",
    "load_results",
    "load_run",
    "make_model",
    "make_task",
    "register_model",
    "register_task",
    "train",
]

_HOMES = {
    "NTM": "ntm.model",
    "Batch": "task",
    "SequenceModel": "model",
    "Task": "task",
    "TrainSettings": "config",
    "evaluate": "evaluation",
    "load_results": "runs",
    "load_run": "loading",
    "make_model": "registry",
    "make_task": "registry",
    "register_model": "registry",
    "register_task": "registry",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ntmbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"ntmbench.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Public names, for completion."""
    return sorted(__all__)

"""ntmbench: algorithmic memory tasks, and a fast Neural Turing Machine to solve them.

    from ntmbench import NTM, make_task, make_model, train, evaluate, load_results, load_run

The names below are imported on first use, so that a command that needs no PyTorch loads none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ntmbench.answer import Answer, Bits, Chance, Reals, Symbols
    from ntmbench.evaluation.grid import evaluate
    from ntmbench.model import SequenceModel
    from ntmbench.ntm.model import NTM
    from ntmbench.registry import (
        make_model,
        make_task,
        register_model,
        register_observer,
        register_task,
    )
    from ntmbench.runs.loading import load_run
    from ntmbench.runs.results import load_results
    from ntmbench.task import Batch, Shortcuts, Task
    from ntmbench.trace import Panel, Signal, Trace
    from ntmbench.training.loop import train
    from ntmbench.training.observer import Observer
    from ntmbench.training.settings import TrainSettings

_HOMES = {
    "NTM": "ntm.model",
    "Answer": "answer",
    "Batch": "task",
    "Bits": "answer",
    "Chance": "answer",
    "Observer": "training.observer",
    "Panel": "trace",
    "Reals": "answer",
    "SequenceModel": "model",
    "Shortcuts": "task",
    "Signal": "trace",
    "Symbols": "answer",
    "Task": "task",
    "Trace": "trace",
    "TrainSettings": "training.settings",
    "evaluate": "evaluation.grid",
    "load_results": "runs.results",
    "load_run": "runs.loading",
    "make_model": "registry",
    "make_task": "registry",
    "register_model": "registry",
    "register_observer": "registry",
    "register_task": "registry",
    "train": "training.loop",
}

__all__ = [
    "NTM",
    "Answer",
    "Batch",
    "Bits",
    "Chance",
    "Observer",
    "Panel",
    "Reals",
    "SequenceModel",
    "Shortcuts",
    "Signal",
    "Symbols",
    "Task",
    "Trace",
    "TrainSettings",
    "evaluate",
    "load_results",
    "load_run",
    "make_model",
    "make_task",
    "register_model",
    "register_observer",
    "register_task",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ntmbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"ntmbench.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Public names, for completion."""
    return sorted(__all__)

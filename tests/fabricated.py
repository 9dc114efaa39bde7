"""Runs that nobody trained: folders with the numbers that a test wants to see reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from ntmbench.config import fingerprint
from ntmbench.registry import make_task
from ntmbench.runs import RunFolder


def fabricate(
    results: Path,
    task: str = "copy",
    model: str = "ntm",
    seed: int = 0,
    *,
    wrong_bits: Sequence[float] = (80, 10, 0, 0),
    tested: Mapping[int, float] | None = None,
    state: str = "finished",
    error: str | None = None,
    task_settings: Mapping[str, Any] | None = None,
    model_settings: Mapping[str, Any] | None = None,
    train_settings: Mapping[str, Any] | None = None,
    **status: Any,
) -> RunFolder:
    """Write a run's folder.

    ``wrong_bits`` are its validations, 1,000 sequences apart; ``tested`` are its wrong bits by test
    length, None for a run that was not evaluated.
    """
    made = make_task(task, **(task_settings or {}))
    identity = {
        "task": {"name": task, "version": made.version, **asdict(made)},  # type: ignore[call-overload]
        "model": {"name": model, **(model_settings or {})},
        "train": {"sequences": 3000, "validation_sequences": 64, **(train_settings or {})},
        "evaluation": {"sequences": 64, "lengths": []},
        "seed": seed,
    }
    folder = RunFolder(results / "runs" / f"{task}-{model}-s{seed}-{fingerprint(identity)}")
    folder.path.mkdir(parents=True)
    folder.write_status(
        {
            "state": state,
            "settings": identity,
            "error": error,
            "parameters": 67_000,
            "sequences_per_second": 500.0,
            "train_seconds": 6.0,
            "wall_seconds": 8.0,
            "selected_step": 3000,
            "device": "cpu",
            "started": "2025-01-01T00:00:00+00:00",
            "versions": {"ntmbench": "0.1.0"},
            "commit": None,
            **status,
        }
    )
    folder.write_table(folder.metrics, curve(wrong_bits))
    if tested is not None:
        folder.write_table(folder.evaluation, grid(tested))
    return folder


def curve(wrong_bits: Sequence[float]) -> pd.DataFrame:
    """A learning curve with the columns of ``metrics.csv``; loss is twice the wrong bits."""
    sequences = [1000 * place for place in range(len(wrong_bits))]
    return pd.DataFrame(
        {
            "step": sequences,
            "sequences": sequences,
            "seconds": [count / 500 for count in sequences],
            "loss_bits": [2 * bits for bits in wrong_bits],
            "wrong_bits": wrong_bits,
            "exact_match": [float(bits == 0) for bits in wrong_bits],
        }
    )


def grid(wrong_bits: Mapping[int, float]) -> pd.DataFrame:
    """A test grid with the columns of ``evaluation.csv``; chance is four bits a step."""
    return pd.DataFrame(
        {
            "length": list(wrong_bits),
            "memory_slots": 128,
            "sequences": 64,
            "loss_bits": [2 * bits for bits in wrong_bits.values()],
            "wrong_bits": list(wrong_bits.values()),
            "chance_wrong_bits": [4.0 * length for length in wrong_bits],
            "exact_match": [float(bits == 0) for bits in wrong_bits.values()],
        }
    )

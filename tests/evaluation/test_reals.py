"""A run on a task of real answers, from its settings to its pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

from ntmbench import load_run, registry
from ntmbench.evaluation.settings import EvaluationSettings
from ntmbench.registry import make_task, model_entry
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.runner import run
from ntmbench.runs.settings import RunConfig
from tests.recited import Recited
from tests.tiny import settings


@pytest.mark.parametrize(("model", "sizes"), [("constant", {}), ("lstm", {"hidden_size": 8})])
def test_numbers_are_trained_tested_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, sizes: dict[str, Any]
) -> None:
    registry.load_plugins()
    monkeypatch.setitem(registry._tasks, "recited", Recited)
    config = RunConfig(
        task=make_task("recited", max_length=3),
        model=model,
        model_settings=model_entry(model).settings(**sizes),
        train=settings(sequences=400, learning_rate=0.01, validate_every=100),
        evaluation=EvaluationSettings(lengths=[3, 5], sequences=16),
        device="cpu",
        results_dir=tmp_path,
        observers=(),
    )
    outcome = run(config, Console(file=io.StringIO()))
    assert (outcome.state, outcome.unit) == ("finished", "number")
    folder = RunFolder(outcome.folder)
    losses = pd.read_csv(folder.metrics)["loss_bits"]
    assert losses.iloc[-1] < losses.iloc[0] - 1  # a constant finds the mean, by which it gains
    evaluation = pd.read_csv(folder.evaluation)
    assert list(evaluation["length"]) == [3, 5]
    assert list(evaluation["chance_errors"]) == [1.5, 2.5]
    assert {path.stem for path in folder.plots.iterdir()} == {
        "learning_curve",
        "generalisation",
        "example",
        "look",
    }
    batch = config.task.test_set(3, 1)
    _, trained = load_run(folder.path)
    logits = trained(torch.from_numpy(batch.inputs))[:, 0].detach().numpy()
    with np.load(folder.example) as example:
        assert (str(example["kind"]), float(example["tolerance"])) == ("reals", 0.25)
        assert example["targets"] == pytest.approx(batch.targets[:, 0], abs=1e-3)
        assert example["probabilities"] == pytest.approx(logits, abs=1e-2)

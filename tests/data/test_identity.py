"""A run's identity: settings that were added later do not rename earlier runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ntmbench.evaluation.settings import EvaluationSettings
from ntmbench.registry import make_task, model_entry
from ntmbench.runs.settings import RunConfig
from ntmbench.training.settings import TrainSettings

LATER = {"added_later": True}


@dataclass(frozen=True)
class Older:
    """The settings of a model in an earlier version."""

    size: int = 3


@dataclass(frozen=True)
class Newer:
    """The same settings with two more."""

    size: int = 3
    noise: float = field(default=0.0, metadata=LATER)
    layers: list[int] = field(default_factory=list, metadata=LATER)


def run(settings: Any) -> RunConfig:
    parts = TrainSettings(), EvaluationSettings()
    return RunConfig(make_task("copy"), "lstm", settings, *parts)


def test_a_setting_that_was_added_later_counts_where_it_is_changed() -> None:
    assert model_entry("lstm").extras is None  # which would be asked for more
    before = run(Older())
    assert run(Newer()).run_name == before.run_name
    noisy, deep = run(Newer(noise=0.1)), run(Newer(layers=[2]))
    assert len({before.run_name, noisy.run_name, deep.run_name}) == 3
    assert noisy.identity()["model"] == {"name": "lstm", "size": 3, "noise": 0.1}


def test_an_older_setting_counts_at_its_default_too() -> None:
    assert run(Older()).identity()["model"] == {"name": "lstm", "size": 3}


def test_every_setting_is_in_the_runs_own_record() -> None:
    assert run(Newer()).resolved()["model"] == {
        "name": "lstm",
        "size": 3,
        "noise": 0.0,
        "layers": [],
    }

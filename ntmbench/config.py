"""What a run is made of: typed settings, checked once, and the identity that they give it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntmbench.registry import make_task, model_entry
from ntmbench.sequences import MAX_LENGTH
from ntmbench.settings import SettingError, check_choice, check_known, check_range
from ntmbench.task import Task

OPTIMIZERS = ("rmsprop", "adam")
SCHEDULES = ("constant", "linear", "cosine")
DEVICES = ("auto", "cpu", "cuda")
PARTS = ("task", "model", "train", "evaluation")

# Larger numbers are taken for typing errors. They would exhaust the memory of most machines.
MAX_BATCH_SIZE = 2**14
MAX_SEQUENCES = 2**17


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained; every field can change the numbers."""

    #: Training sequences in all. Budgets are counted in sequences, whatever the batch size.
    sequences: int = 50_000
    #: Sequences of one length that share a step of the optimizer.
    batch_size: int = 4
    #: rmsprop (centered, as in the NTM paper) or adam.
    optimizer: str = "rmsprop"
    #: Step size at the start.
    learning_rate: float = 5e-4
    #: constant, linear or cosine; the last two fall to ``final_learning_rate``.
    schedule: str = "cosine"
    #: Share of the learning rate that is left at the end of a falling schedule.
    final_learning_rate: float = 0.01
    #: Sequences over which the learning rate rises from zero.
    warmup_sequences: int = 0
    #: Momentum of rmsprop; the first beta of adam.
    momentum: float = 0.9
    #: Decay of the squared gradients' mean: alpha of rmsprop, the second beta of adam.
    smoothing: float = 0.95
    #: Added to the root of the squared gradients' mean.
    epsilon: float = 1e-4
    #: The gradient's norm is clipped at this; 0 leaves it as it is.
    clip_norm: float = 10.0
    #: Before that, each of its numbers is clipped to +- this, as in the paper; 0 leaves them.
    clip_value: float = 0.0
    #: The sequences are shared out among so many attempts, each from other initial weights and with
    #: a schedule of its own. Training ends with the first attempt after which the selected weights
    #: make no mistake on the validation data, those beyond the training lengths included. One that
    #: diverges ends, and forfeits what it has left.
    attempts: int = 1
    #: Decay per step of the weights' running average, which is then what is validated and
    #: selected; 0 averages nothing.
    weight_average: float = 0.0
    #: Sequences between two validations, each a row of the learning curve.
    validate_every: int = 1_000
    #: Validation sequences with the lengths of training (the learning curve).
    validation_sequences: int = 640
    #: Validation sequences of each of the task's selection lengths.
    selection_sequences: int = 128
    #: The run ends as diverged after this many steps in a row without finite loss and gradient.
    patience: int = 20

    def __post_init__(self) -> None:
        """Check names and ranges."""
        check_range("train.sequences", self.sequences, 1)
        check_range("train.batch_size", self.batch_size, 1, MAX_BATCH_SIZE)
        check_choice("train.optimizer", self.optimizer, OPTIMIZERS)
        check_range("train.learning_rate", self.learning_rate, above=0.0)
        check_choice("train.schedule", self.schedule, SCHEDULES)
        check_range("train.final_learning_rate", self.final_learning_rate, 0, 1)
        check_range("train.warmup_sequences", self.warmup_sequences, 0)
        check_range("train.momentum", self.momentum, 0, 0.9999)
        check_range("train.smoothing", self.smoothing, 0, 0.99999)
        check_range("train.epsilon", self.epsilon, above=0.0)
        check_range("train.clip_norm", self.clip_norm, 0)
        check_range("train.clip_value", self.clip_value, 0)
        check_range("train.attempts", self.attempts, 1)
        if self.attempts > self.steps:
            raise SettingError(
                f"train.attempts={self.attempts} is more than there are steps of the optimizer "
                f"(train.sequences / train.batch_size): {self.steps}. Allowed: 1 to {self.steps}."
            )
        check_range("train.weight_average", self.weight_average, 0, 0.99999)
        check_range("train.validate_every", self.validate_every, 1)
        check_range("train.validation_sequences", self.validation_sequences, 1, MAX_SEQUENCES)
        check_range("train.selection_sequences", self.selection_sequences, 1, MAX_SEQUENCES)
        check_range("train.patience", self.patience, 1)

    @property
    def steps(self) -> int:
        """Optimizer steps that use up the sequences."""
        return -(-self.sequences // self.batch_size)

    def attempt_at(self, step: int) -> int:
        """The attempt that a step belongs to, both counted from 0; they are alike in length."""
        return ((step + 1) * self.attempts - 1) // self.steps

    def attempt_start(self, attempt: int) -> int:
        """The first step of an attempt; of the one after the last, the number of steps."""
        return self.steps * attempt // self.attempts

    @property
    def attempt_steps(self) -> int:
        """Steps of the longest attempt."""
        return -(-self.steps // self.attempts)


@dataclass(frozen=True)
class EvaluationSettings:
    """How the selected weights are tested."""

    #: Test sequences of each length.
    sequences: int = 512
    #: Test lengths; empty for the task's own grid.
    lengths: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("evaluation.sequences", self.sequences, 1, MAX_SEQUENCES)


@dataclass(frozen=True)
class RunConfig:
    """One run, resolved and checked."""

    task: Task
    model: str
    #: An instance of the model's settings dataclass.
    model_settings: Any
    train: TrainSettings
    evaluation: EvaluationSettings
    #: Seeds the training data and the initial weights.
    seed: int = 0
    device: str = "auto"
    #: CPU threads; 0 takes as many as the machine has cores.
    threads: int = 1
    results_dir: Path = Path("results")
    #: Run again what is finished.
    rerun: bool = False
    #: The most of the time that checkpoints may take, beside the one at each validation; 1 writes
    #: one after each step.
    checkpoint_share: float = 0.01

    def __post_init__(self) -> None:
        """Check the ranges that no part checks by itself."""
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_choice("device", self.device, DEVICES)
        check_range("threads", self.threads, 0)
        check_range("checkpoint_share", self.checkpoint_share, 0, 1)
        for length in self.evaluation.lengths:
            check_range("evaluation.lengths", length, self.task.shortest_length, MAX_LENGTH)
        if len(set(self.evaluation.lengths)) < len(self.evaluation.lengths):
            raise SettingError(
                f"evaluation.lengths={self.evaluation.lengths} has a length twice. "
                "Allowed: each once."
            )

    def identity(self) -> dict[str, Any]:
        """Everything that can change the numbers, as plain values.

        Not in it: where results go, the device, the threads, and settings that their dataclass
        marks with ``metadata={"identity": False}`` (the engine of the NTM).
        """
        extras = model_entry(self.model).extras
        model = _plain(self.model_settings) | (extras(self.model_settings) if extras else {})
        return {
            "task": {"name": self.task.name, "version": self.task.version, **_plain(self.task)},
            "model": {"name": self.model, **model},
            "train": _plain(self.train),
            "evaluation": _plain(self.evaluation),
            "seed": self.seed,
        }

    @property
    def run_name(self) -> str:
        """``<task>-<model>-s<seed>-<hash>``, the name of the run's folder."""
        return run_name(self.identity())

    @property
    def folder(self) -> Path:
        """Where the run's files are."""
        return self.results_dir / "runs" / self.run_name

    def resolved(self) -> dict[str, Any]:
        """Every setting as plain values: what ``config.yaml`` of the run holds."""
        return {
            "task": {"name": self.task.name, **dataclasses.asdict(self.task)},  # type: ignore[call-overload]
            "model": {"name": self.model, **dataclasses.asdict(self.model_settings)},
            "train": dataclasses.asdict(self.train),
            "evaluation": dataclasses.asdict(self.evaluation),
            "seed": self.seed,
            "device": self.device,
            "threads": self.threads,
            "results_dir": str(self.results_dir),
            "rerun": self.rerun,
            "checkpoint_share": self.checkpoint_share,
        }


def run_name(identity: Mapping[str, Any]) -> str:
    """``<task>-<model>-s<seed>-<hash>`` of a run's identity."""
    task, model, seed = identity["task"]["name"], identity["model"]["name"], identity["seed"]
    return f"{task}-{model}-s{seed}-{fingerprint(identity)}"


def fingerprint(values: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that stand for plain values, whatever their order."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def run_config(values: Mapping[str, Any]) -> RunConfig:
    """Build a RunConfig from nested plain values, as composed by Hydra.

    Raises:
        SettingError: for an unknown key or name, a wrong type or a value out of range.
    """
    fields = [name for name in _fields(RunConfig) if name != "model_settings"]
    _refuse_unknown("A run", values, fields)
    task = dict(values["task"])
    model = dict(values["model"])
    task_name, model_name = str(task.pop("name")), str(model.pop("name"))
    settings_class = model_entry(model_name).settings
    _refuse_unknown(f"model {model_name}", model, _fields(settings_class))
    for part, settings in (("train", TrainSettings), ("evaluation", EvaluationSettings)):
        _refuse_unknown(part, values[part], _fields(settings))
    plain = {name: values[name] for name in fields if name not in PARTS}
    plain["results_dir"] = Path(plain["results_dir"])
    return RunConfig(
        task=make_task(task_name, **task),
        model=model_name,
        model_settings=settings_class(**model),
        train=TrainSettings(**values["train"]),
        evaluation=EvaluationSettings(**values["evaluation"]),
        **plain,
    )


def _refuse_unknown(owner: str, values: Mapping[str, Any], allowed: list[str]) -> None:
    for key in values:
        check_known(owner, key, allowed)


def _fields(settings: type) -> list[str]:
    return [f.name for f in dataclasses.fields(settings)]


def _plain(settings: Any) -> dict[str, Any]:
    """The fields of a settings dataclass that belong to a run's identity."""
    values = dataclasses.asdict(settings)
    return {
        f.name: values[f.name]
        for f in dataclasses.fields(settings)
        if f.metadata.get("identity", True)
    }

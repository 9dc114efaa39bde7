"""The settings of a run, typed and checked once, and the identity that they give it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntmbench.data.identity import fingerprint, identity_of
from ntmbench.data.lengths import MAX_LENGTH
from ntmbench.errors import (
    SettingError,
    check_choice,
    check_known,
    check_list,
    check_range,
    check_types,
)
from ntmbench.evaluation.settings import EvaluationSettings
from ntmbench.registry import make_task, model_entry, observer_names
from ntmbench.runs.budget import Budget, with_width
from ntmbench.runs.search_record import SEARCHES, SearchRecord, search_records
from ntmbench.task import Task
from ntmbench.training.settings import DEVICES, TrainSettings

#: The parts of a run whose settings are the same for every task and model.
FIXED_PARTS: dict[str, type] = {
    "train": TrainSettings,
    "evaluation": EvaluationSettings,
    "budget": Budget,
}

#: The parts of a run's identity. The budget is not one: the model's width tells it.
PARTS = ("task", "model", *(name for name in FIXED_PARTS if name != "budget"))


@dataclass(frozen=True)
class RunConfig:
    """One run, resolved and checked."""

    task: Task
    model: str
    #: An instance of the model's settings dataclass.
    model_settings: Any
    train: TrainSettings
    evaluation: EvaluationSettings
    #: Seed of the training data and the initial weights.
    seed: int = 0
    #: auto (the quicker one, tried for a moment), cpu or cuda.
    device: str = "auto"
    #: CPU threads; 0 takes as many as the machine has cores.
    threads: int = 1
    #: The folder in which each run has one of its own.
    results_dir: Path = Path("results")
    #: What watches the run, beside its files: lines (of the log), bar, and tensorboard and wandb if
    #: their packages are installed. It changes no number.
    observers: tuple[str, ...] = ("lines", "bar")
    #: Run again what is finished.
    rerun: bool = False
    #: The largest share of the time that checkpoints may take, beside the one at each validation;
    #: 1 writes one after each step.
    checkpoint_share: float = 0.01
    #: The searches that its recipes state, by name. The run notes them; they change no number.
    searches: Mapping[str, SearchRecord] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the types and ranges that no part checks itself."""
        plain = {setting.name: getattr(self, setting.name) for setting in plain_fields()}
        check_types("A run", RunConfig, plain)
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_choice("device", self.device, DEVICES)
        check_range("threads", self.threads, 0)
        for name in self.observers:
            check_choice("observers", name, observer_names())
        if len(set(self.observers)) < len(self.observers):
            named = ",".join(self.observers)
            raise SettingError(f"observers=[{named}] has a name twice. Allowed: each once.")
        check_range("checkpoint_share", self.checkpoint_share, 0, 1)
        for length in self.evaluation.lengths:
            check_range("evaluation.lengths", length, self.task.shortest_length, MAX_LENGTH)
        if len(set(self.evaluation.lengths)) < len(self.evaluation.lengths):
            raise SettingError(
                f"evaluation.lengths={self.evaluation.lengths} has a length twice. "
                "Allowed: each once."
            )

    def identity(self, recorded: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Everything that can change the numbers, as plain values.

        It leaves out the results folder, the device, the threads, the observers, what its recipes
        state of searches, and the settings that their dataclass leaves out, see
        ``ntmbench.data.identity``.

        ``recorded`` replaces what the model's ``extras`` return. They may import the code that the
        settings name, which reading a results folder must not do.
        """
        entry = model_entry(self.model)
        if recorded is None:
            recorded = entry.extras(self.model_settings) if entry.extras else {}
        # Runs that finished before models had versions keep their names.
        version = {"version": entry.version} if entry.version > 1 else {}
        model = version | identity_of(self.model_settings) | dict(recorded)
        return {
            "task": {
                "name": self.task.name,
                "version": self.task.version,
                **identity_of(self.task),
            },
            "model": {"name": self.model, **model},
            "train": identity_of(self.train),
            "evaluation": identity_of(self.evaluation),
            "seed": self.seed,
        }

    @property
    def run_name(self) -> str:
        """``<task>-<model>-s<seed>-<hash>``, the name of the run's folder."""
        return run_name(self.identity())

    @property
    def folder(self) -> Path:
        """The folder of the run's files."""
        return self.results_dir / "runs" / self.run_name

    def resolved(self) -> dict[str, Any]:
        """Every setting as plain values, as in the run's ``config.yaml``."""
        return {
            "task": {"name": self.task.name, **dataclasses.asdict(self.task)},  # type: ignore[call-overload]
            "model": {"name": self.model, **dataclasses.asdict(self.model_settings)},
            "train": dataclasses.asdict(self.train),
            "evaluation": dataclasses.asdict(self.evaluation),
            "seed": self.seed,
            "device": self.device,
            "threads": self.threads,
            "results_dir": str(self.results_dir),
            "observers": list(self.observers),
            "rerun": self.rerun,
            "checkpoint_share": self.checkpoint_share,
            SEARCHES: self.noted_searches(),
        }

    def noted_searches(self) -> dict[str, Any]:
        """The searches as plain values."""
        return {name: record.plain() for name, record in self.searches.items()}


def run_name(identity: Mapping[str, Any]) -> str:
    """``<task>-<model>-s<seed>-<hash>`` of a run's identity."""
    task, model, seed = identity["task"]["name"], identity["model"]["name"], identity["seed"]
    return f"{task}-{model}-s{seed}-{fingerprint(identity)}"


def run_config(values: Mapping[str, Any]) -> RunConfig:
    """Build a RunConfig from nested plain values, as composed by Hydra.

    A model whose width is 0 gets the one that the budget allows.

    Raises:
        SettingError: for an unknown key or name, a wrong type or a value out of range.
    """
    plain_names = [setting.name for setting in plain_fields()]
    _refuse_unknown("A run", values, ["task", "model", *FIXED_PARTS, SEARCHES, *plain_names])
    for part in ("task", "model", *FIXED_PARTS):
        if not isinstance(values[part], Mapping):
            raise SettingError(
                f"{part}={values[part]!r} is no part of a run. Allowed: its settings, each as in "
                f"{part}.name=value."
            )
    task = dict(values["task"])
    model = dict(values["model"])
    task_name, model_name = str(task.pop("name")), str(model.pop("name"))
    settings_class = model_entry(model_name).settings
    _refuse_unknown(f"model {model_name}", model, _fields(settings_class))
    check_types(f"model {model_name}", settings_class, model)
    for part, settings in FIXED_PARTS.items():
        _refuse_unknown(part, values[part], _fields(settings))
    plain = {name: values[name] for name in plain_names}
    plain["results_dir"] = Path(plain["results_dir"])
    plain["observers"] = tuple(check_list("observers", plain["observers"]))
    made_task = make_task(task_name, **task)
    model = with_width(model_name, model, made_task, Budget(**values["budget"]))
    return RunConfig(
        task=made_task,
        model=model_name,
        model_settings=settings_class(**model),
        train=TrainSettings(**values["train"]),
        evaluation=EvaluationSettings(**values["evaluation"]),
        searches=search_records(values[SEARCHES]),
        **plain,
    )


def plain_fields() -> list[dataclasses.Field[Any]]:
    """The settings of a run that belong to no part; each has a default."""
    return [f for f in dataclasses.fields(RunConfig) if f.default is not dataclasses.MISSING]


def _refuse_unknown(owner: str, values: Mapping[str, Any], allowed: list[str]) -> None:
    for key in values:
        check_known(owner, key, allowed)


def _fields(settings: type) -> list[str]:
    return [f.name for f in dataclasses.fields(settings)]

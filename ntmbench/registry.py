"""Names of tasks and models: registration, look-up with suggestions, plug-ins.

All registration goes through the entry-point group ``ntmbench.plugins``, that of the suite's own
tasks and models too: importing the entry point's module runs its decorators.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from ntmbench.errors import UserError, check_choice, check_known, check_types
from ntmbench.task import Task

if TYPE_CHECKING:
    from ntmbench.engine.contract import Engine
    from ntmbench.model import SequenceModel
    from ntmbench.training.observer import Observer

PLUGIN_GROUP = "ntmbench.plugins"

TaskT = TypeVar("TaskT", bound=type[Task])
EngineT = TypeVar("EngineT", bound="type[Engine[Any]]")
ObserverT = TypeVar("ObserverT", bound=Callable[[], "Observer"])
BuilderT = TypeVar("BuilderT", bound=Callable[[int, int, Any], "SequenceModel"])


class PluginError(UserError):
    """An installed plug-in cannot be loaded, or claims a name that is taken."""


@dataclasses.dataclass(frozen=True)
class ModelEntry:
    """A registered model: the dataclass of its settings, and what builds it from them."""

    settings: type
    build: Callable[[int, int, Any], SequenceModel]
    #: What else, apart from the settings, can change a run's numbers: part of its identity.
    extras: Callable[[Any], dict[str, str]] | None = None
    #: The setting that is the model's width, through which a budget of parameters is met; None for
    #: a model without one.
    width: str | None = None
    #: Whether the model must see a whole input before it answers (encoder and decoder).
    needs_input_phase: bool = False
    #: Whether no output depends on a later input.
    causal: bool = True
    #: Whether it is a control, by which the others are judged, and not a contestant.
    control: bool = False
    #: The setting that names the model in messages, if its own name does not say enough.
    named_by: str | None = None
    #: Changes whenever the same settings and seed give other numbers beyond the rounding of other
    #: kernels; from 2 on it is part of a run's identity.
    version: int = 1

    def owner(self, name: str, settings: Any) -> str:
        """How a message names the model: ``model=lstm``."""
        if self.named_by is None:
            return f"model={name}"
        return f"model.{self.named_by}={getattr(settings, self.named_by)}"


#: Held while a model is built; a model may be made of others.
_BUILDING = threading.RLock()

_tasks: dict[str, type[Task]] = {}
_models: dict[str, ModelEntry] = {}
_observers: dict[str, Callable[[], Observer]] = {}
#: The engines of each model by their ranks, the lowest first.
_engines: dict[str, dict[int, Engine[Any]]] = {}


def register_task(name: str) -> Callable[[TaskT], TaskT]:
    """Class decorator: make a Task, a frozen dataclass, known as ``name``."""

    def register(task: TaskT) -> TaskT:
        if not dataclasses.is_dataclass(task):
            raise PluginError(f"Task '{name}' is not a dataclass.")
        if missing := task.undefined():
            raise PluginError(f"Task '{name}' does not define {', '.join(missing)}.")
        if name in _tasks:
            raise PluginError(f"Two tasks are registered as '{name}'.")
        task.name = name
        _tasks[name] = task
        return task

    return register


def register_model(
    name: str,
    settings: type,
    extras: Callable[[Any], dict[str, str]] | None = None,
    *,
    width: str | None = None,
    needs_input_phase: bool = False,
    causal: bool = True,
    control: bool = False,
    named_by: str | None = None,
    version: int = 1,
) -> Callable[[BuilderT], BuilderT]:
    """Decorator of a model class, or of a function that builds one: make it known as ``name``.

    ``settings`` is a dataclass of plain values with defaults. The class or function is called with
    the input width, the output width and an instance of it. ``extras`` gives, from such an
    instance, what else belongs to a run's identity: values by name.

    The capabilities are stated here, so that the suite knows them without building the model.
    ``width`` names the setting through which a budget of parameters is met. ``needs_input_phase``
    says that the model answers only after a whole input, ``causal`` that no output depends on a
    later input, and ``control`` that the others are judged by it. ``named_by`` names the setting by
    which messages call the model, if its own name does not say enough. ``version`` is raised
    whenever the same settings and seed give other numbers, so that finished runs are not taken for
    those of the model as it is.
    """

    def register(model: BuilderT) -> BuilderT:
        if not dataclasses.is_dataclass(settings):
            raise PluginError(f"The settings of model '{name}' are not a dataclass.")
        if name in _models:
            raise PluginError(f"Two models are registered as '{name}'.")
        known = [field.name for field in dataclasses.fields(settings)]
        if width is not None and width not in known:
            raise PluginError(f"Model '{name}' has no setting '{width}' to be its width.")
        _models[name] = ModelEntry(
            settings,
            model,
            extras,
            width=width,
            needs_input_phase=needs_input_phase,
            causal=causal,
            control=control,
            named_by=named_by,
            version=version,
        )
        return model

    return register


def register_observer(name: str) -> Callable[[ObserverT], ObserverT]:
    """Decorator of an Observer class, or of a function that builds one: make it known as ``name``.

    It is called without arguments; ``started`` tells the observer about its run.
    """

    def register(observer: ObserverT) -> ObserverT:
        if name in _observers:
            raise PluginError(f"Two observers are registered as '{name}'.")
        _observers[name] = observer
        return observer

    return register


def register_engine(model: str, rank: int) -> Callable[[EngineT], EngineT]:
    """Class decorator: make an Engine one of those that can compute a model.

    Args:
        model: the model's registered name.
        rank: where it stands among the model's engines, of which the lowest is tried first: the
            fastest has the lowest.
    """

    def register(engine: EngineT) -> EngineT:
        known = _engines.get(model, {})
        if rank in known:
            raise PluginError(
                f"Engine '{engine.name}' of model '{model}' has rank {rank}, as "
                f"'{known[rank].name}' has."
            )
        if engine.name in (other.name for other in known.values()):
            raise PluginError(f"Two engines of model '{model}' are registered as '{engine.name}'.")
        _engines[model] = dict(sorted({**known, rank: engine()}.items()))
        return engine

    return register


def engines_of(model: str) -> tuple[Engine[Any], ...]:
    """The engines of a model that are registered so far, the fastest first."""
    return tuple(_engines.get(model, {}).values())


@cache
def load_plugins() -> None:
    """Import every installed plug-in, once per process.

    Raises:
        PluginError: naming the plug-in that failed.
    """
    for entry_point in importlib.metadata.entry_points(group=PLUGIN_GROUP):
        try:
            entry_point.load()
        except (Exception, SystemExit) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise PluginError(
                f"Plug-in '{entry_point.name}' ({entry_point.value}) cannot be loaded: {reason}"
            ) from error


def task_names() -> list[str]:
    """The names of all registered tasks, sorted."""
    load_plugins()
    return sorted(_tasks)


def model_names() -> list[str]:
    """The names of all registered models, sorted."""
    load_plugins()
    return sorted(_models)


def observer_names() -> list[str]:
    """The names of all registered observers, sorted."""
    load_plugins()
    return sorted(_observers)


def make_observer(name: str) -> Observer:
    """Build an observer.

    Raises:
        SettingError: for an unknown name.
        UserError: for one whose package is not installed.
    """
    check_choice("observers", name, observer_names())
    return _observers[name]()


def task_class(name: str) -> type[Task]:
    """The task class registered as ``name``; SettingError with the nearest name otherwise."""
    check_choice("task", name, task_names())
    return _tasks[name]


def model_entry(name: str) -> ModelEntry:
    """The model registered as ``name``; SettingError with the nearest name otherwise."""
    check_choice("model", name, model_names())
    return _models[name]


def make_task(name: str, **settings: Any) -> Task:
    """Build a task: ``make_task("copy", max_length=40)``.

    Raises:
        SettingError: for an unknown task or setting, or a value out of range.
    """
    task: Task = _construct(task_class(name), f"task {name}", settings)
    return task


def make_model(
    name: str, input_width: int, output_width: int, *, seed: int = 0, **settings: Any
) -> SequenceModel:
    """Build a model with its own initialisation stream: PyTorch's global state is untouched.

    Threads that build models take turns, since PyTorch's layers draw their weights from a generator
    that all threads share.

    Raises:
        SettingError: for an unknown model or setting, or a value out of range.
    """
    import torch  # imported here so that listing names needs no PyTorch

    from ntmbench.data.randomness import RandomWords, Stream

    entry = model_entry(name)
    built = _construct(entry.settings, f"model {name}", settings)
    with _BUILDING, torch.random.fork_rng(devices=[]):
        # torch.manual_seed would reach the GPUs too.
        first = RandomWords(Stream.INITIALISATION, seed).words(1)[0]
        torch.default_generator.manual_seed(int(first >> 1))
        return entry.build(input_width, output_width, built)


def _construct(settings_class: type, owner: str, settings: Mapping[str, Any]) -> Any:
    allowed = [field.name for field in dataclasses.fields(settings_class)]
    for name in settings:
        check_known(owner, name, allowed)
    check_types(owner, settings_class, settings)
    return settings_class(**settings)

"""Composition: Hydra learns all settings, tasks and models, and composes a run from them."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import hydra
from hydra import initialize_config_module
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigKeyError,
    InterpolationValidationError,
    OmegaConfBaseException,
)
from yaml import YAMLError

from ntmbench import registry
from ntmbench.composition.groups import CHOICES, CONFIG_MODULE, layer_files
from ntmbench.composition.schemas import schema
from ntmbench.errors import SettingError
from ntmbench.runs.settings import RunConfig, run_config

# Hydra 1.4 behaves like this by itself, and warns about the keyword.
VERSION_BASE: dict[str, Any] = {}
if hydra.__version__.startswith("1.3."):
    VERSION_BASE = {"version_base": "1.3"}


#: What Hydra and OmegaConf raise for overrides that they cannot take: some of it is Python's own.
REFUSALS = (
    HydraException,
    OmegaConfBaseException,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,
    RecursionError,
    YAMLError,  # from completion in a shell, which reads values as YAML
)


@contextmanager
def composing() -> Iterator[None]:
    """Within this context Hydra's ``compose("config", overrides)`` finds the suite's configuration.

    Raises:
        PluginError: if a plug-in cannot be loaded, or has settings of types unknown to Hydra.
    """
    register_schemas()
    with initialize_config_module(CONFIG_MODULE, **VERSION_BASE):
        yield


@cache
def register_schemas() -> None:
    """Tell Hydra the types and defaults of all settings, and of every registered task and model.

    Raises:
        PluginError: if a plug-in cannot be loaded, or has settings of types unknown to Hydra.
    """
    store = ConfigStore.instance()
    store.store(group="schema", name="config", node=schema("config"))
    named = [(group, name) for group, (names, _) in CHOICES.items() for name in names()]
    for group, name in named:
        try:
            store.store(group=group, name=name, node=schema(f"{group}_{name}"))
        except (OmegaConfBaseException, TypeError, ValueError) as error:
            raise registry.PluginError(
                f"The settings of {group} '{name}' are not plain values with defaults: "
                f"{first_line(error)}"
            ) from error
    _store_layers(store)
    store.repo = _shared(store.repo)


class _SharedNode(ConfigNode):
    """A stored configuration of which no copy is made with the store.

    Hydra copies the store whenever it composes, and copies the node again before it uses it. With
    the settings of all tasks and models, the first copy takes longer than all the rest.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> _SharedNode:
        return self


def _shared(stored: dict[str, Any]) -> dict[str, Any]:
    """The same groups, with shared nodes."""
    return {
        name: _shared(node) if isinstance(node, dict) else _SharedNode(**vars(node))
        for name, node in stored.items()
    }


def _store_layers(store: ConfigStore) -> None:
    """Let Hydra find the files that several tasks share: a family's, a model's, the paper's.

    A family's budget has the name of each of its tasks that has no budget itself.
    """
    conf = importlib.resources.files(CONFIG_MODULE)
    for group, choice, file in dict.fromkeys(layer_files()):
        own, other = (conf / f"{path}.yaml" for path in (f"{group}/{choice}", file))
        if other.is_file() and not own.is_file():
            node = {"defaults": [f"/{file}"]}
            store.store(group=group, name=choice, node=node, package="_global_")


def choices(group: str) -> list[str]:
    """The choices of a group, with those of a folder as ``folder/name``; only while composing."""
    loader = GlobalHydra.instance().config_loader()
    names = loader.get_group_options(group)
    for folder in loader.get_group_options(group, ObjectType.GROUP):
        names += [f"{folder}/{name}" for name in choices(f"{group}/{folder}")]
    return sorted(names)


def to_run_config(composed: DictConfig) -> RunConfig:
    """Check a composed configuration and build the run from it.

    Raises:
        SettingError: for an unknown key or name, a wrong type, a value out of range or none,
            or one that refers to what is not there.
    """
    try:
        values = _resolved(composed)
    except InterpolationValidationError as error:
        # OmegaConf does not always name the setting whose reference has a wrong type. The check
        # of plain values does.
        untyped = OmegaConf.create(OmegaConf.to_container(composed))
        assert isinstance(untyped, DictConfig)
        run_config(_resolved(untyped))
        raise SettingError(first_line(error)) from error
    except OmegaConfBaseException as error:
        raise SettingError(first_line(error)) from error
    return run_config(values)


def _resolved(composed: DictConfig) -> dict[str, Any]:
    """The plain values, with what references stand for.

    Raises:
        SettingError: where there is none.
        OmegaConfBaseException: for a reference to nothing, or to a value of a wrong type.
    """
    missing = OmegaConf.missing_keys(composed)
    values = OmegaConf.to_container(composed, resolve=True)
    if missing:
        raise SettingError(f"{', '.join(sorted(missing))} has no value: ??? stands for none.")
    assert isinstance(values, dict)
    return {str(name): value for name, value in values.items()}


def first_line(error: BaseException) -> str:
    """The first line of an exception's message."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))


def innermost(error: BaseException) -> BaseException:
    """The cause of an error's causes."""
    while error.__cause__ is not None:
        error = error.__cause__
    # What a file sets wrongly is raised by Hydra while handling its cause, not from it.
    return error.__context__ if isinstance(error.__context__, ConfigKeyError) else error

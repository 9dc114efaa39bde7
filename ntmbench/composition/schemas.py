"""Schemas: what the settings' dataclasses tell Hydra about names, types and defaults.

Each dataclass has a twin made at run time, because OmegaConf makes frozen dataclasses read-only and
a task's settings do not hold its name. Launchers send configurations, and hence these classes, to
other processes. Every schema is an attribute of this module, so that only its name is sent and the
other process makes its own, whichever pickle the launcher uses.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from ntmbench.composition.groups import CHOICES, NEEDED
from ntmbench.runs.search_record import SEARCHES
from ntmbench.runs.settings import FIXED_PARTS, plain_fields


def __getattr__(name: str) -> type:
    """Give a schema by its name, as pickle asks for it."""
    if name.partition("_")[0] not in ("config", *NEEDED, *FIXED_PARTS):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return schema(name)


@cache
def schema(name: str) -> type:
    """The schema called ``config``, ``task_<name>``, ``model_<name>`` or as one of FIXED_PARTS.

    Raises:
        SettingError: if there is no such task or model.
        TypeError, ValueError: if its settings are not plain values.
    """
    group, _, choice = name.partition("_")
    if group in CHOICES:
        _, settings_of = CHOICES[group]
        return _twin(name, settings_of(choice), name=choice)
    if group == "config":
        return _root(name)
    return _twin(name, FIXED_PARTS[group])


def _root(name: str) -> type:
    fields: list[Any] = [(part, Any, dataclasses.field()) for part in NEEDED]
    for part in FIXED_PARTS:
        fields.append((part, schema(part), dataclasses.field(default_factory=schema(part))))
    searches = dataclasses.field(default_factory=partial(_open_dict, dict))
    fields.append((SEARCHES, dict[str, Any], searches))
    for field in plain_fields():
        default = str(field.default) if isinstance(field.default, Path) else field.default
        if isinstance(default, tuple):
            made: Any = dataclasses.field(default_factory=partial(list, default))
            fields.append((field.name, list[str], made))
        else:
            fields.append((field.name, type(default), dataclasses.field(default=default)))
    return _made(name, fields)


def _twin(schema_name: str, settings: type, **constants: str) -> type:
    """A mutable twin of a settings dataclass, with ``constants`` before its fields."""
    hints = typing.get_type_hints(settings)
    fields: list[Any] = [
        (name, str, dataclasses.field(default=value)) for name, value in constants.items()
    ]
    for field in dataclasses.fields(settings):
        if field.default_factory is not dataclasses.MISSING:
            factory: Any = field.default_factory
            if typing.get_origin(hints[field.name]) is dict:
                factory = partial(_open_dict, factory)
            default: Any = dataclasses.field(default_factory=factory)
        else:
            default = dataclasses.field(default=field.default)
        fields.append((field.name, hints[field.name], default))
    return _made(schema_name, fields)


def _made(name: str, fields: list[Any]) -> type:
    return dataclasses.make_dataclass(name, fields, namespace={"__module__": __name__})


def _open_dict(factory: Callable[[], dict[str, Any]]) -> DictConfig:
    """A dict that takes new keys, which Hydra otherwise refuses, since they are the user's own."""
    return DictConfig(factory(), flags={"struct": False})

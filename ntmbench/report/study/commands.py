"""The exact command that repeats a run, told from its identity.

A command names the task, the model and the settings in which the run differs from what these two
come with here. Whether it leads to the very same identity, and hence to a folder of the same name,
is checked, and said where it is not so.

A results folder may come from anybody. What it names is therefore never imported: the source of a
custom model is taken to be what the run recorded, and the report says that it was not compared.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hydra import compose
from omegaconf import OmegaConf

from ntmbench.composition.composing import composing
from ntmbench.errors import UserError, check_choice
from ntmbench.registry import model_entry, model_names, task_names
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.runs.settings import PARTS, run_config

PROGRAM = "python -m ntmbench"


@dataclass(frozen=True)
class Repeat:
    """How a run is repeated.

    Attributes:
        overrides: of the command line, but for the seed.
        differing: the settings that make it another run here than it was then; most often none.
        unchecked: parts of the identity that could be compared only by importing what the run
            names, such as the source of a custom model.
    """

    overrides: tuple[str, ...]
    differing: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def caveat(self) -> str:
        """What to know before the command is used, as sentences; most often nothing."""
        parts = []
        if self.differing:
            parts.append(
                "Not quite the same run as the suite is installed here: "
                f"{', '.join(self.differing)}."
            )
        if self.unchecked:
            parts.append(
                f"Not compared with what is installed here: {', '.join(self.unchecked)}. "
                "The report imports no code that a run names."
            )
        return " ".join(parts)


def repeat(identity: Mapping[str, Any]) -> Repeat:
    """The overrides that make a run of this identity.

    Raises:
        UserError: if none do: its task or model is not installed here, or not with its settings.
    """
    task, model = identity["task"]["name"], identity["model"]["name"]
    check_choice("task", task, task_names())
    check_choice("model", model, model_names())
    composed = copy.deepcopy(_composed(task, model))
    overrides = [f"task={task}", f"model={model}"]
    width = model_entry(model).width
    for part in PARTS:
        for name, value in identity[part].items():
            if (part, name) == ("model", width):  # may follow from the others
                continue
            # A version or an extra is no setting: whether it is the same is checked below.
            if name in composed[part] and composed[part][name] != value:
                composed[part][name] = value
                overrides.append(f"{part}.{name}={hydra_value(value)}")
    if width is not None and _width(composed, width) != (value := identity["model"].get(width)):
        composed["model"][width] = value
        overrides.append(f"model.{width}={hydra_value(value)}")
    composed["seed"] = identity["seed"]
    recorded = _recorded_extras(identity["model"])
    here = json.loads(json.dumps(run_config(composed).identity(recorded)))
    return Repeat(
        tuple(overrides),
        differing=tuple(_differing(here, identity)),
        unchecked=tuple(f"model.{name}" for name in recorded),
    )


@dataclass(frozen=True)
class Repeats:
    """How each run is repeated (``known``), or why it cannot be (``refused``)."""

    known: Mapping[str, Repeat]
    refused: Mapping[str, str]


@once
def repeats_of(study: Study) -> Repeats:
    """How the runs of a study are repeated; runs of one setting share it."""
    known: dict[str, Repeat] = {}
    refused: dict[str, str] = {}
    for _, members in study.runs.groupby("setting"):
        runs = list(members["run"])
        try:
            known |= dict.fromkeys(runs, repeat(study.settings[runs[0]]))
        except (UserError, TypeError, ValueError, KeyError) as error:
            refused |= dict.fromkeys(runs, str(error))
    return Repeats(known, refused)


def command(overrides: Iterable[str], seeds: Iterable[int]) -> str:
    """The command line of one seed, or of a sweep over several."""
    seeds = sorted(set(seeds))
    options = ["-m"] if len(seeds) > 1 else []
    swept = "seed=" + ",".join(str(seed) for seed in seeds)
    return " ".join([PROGRAM, *options, *map(shlex.quote, overrides), swept])


def hydra_value(value: Any) -> str:
    """A plain value in Hydra's override grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return value if _needs_no_quotes(value) else _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(k)}:{hydra_value(v)}" for k, v in value.items()) + "}"
    return "[" + ",".join(hydra_value(item) for item in value) + "]"


def _width(composed: Mapping[str, Any], width: str) -> Any:
    """The width that the model has with settings as composed."""
    return getattr(run_config(composed).model_settings, width)


@cache
def _composed(task: str, model: str) -> dict[str, Any]:
    """What the task and the model come with, resolved."""
    with composing():
        composed = compose("config", overrides=[f"task={task}", f"model={model}"])
    values = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(values, dict)
    return {str(name): value for name, value in values.items()}


def _needs_no_quotes(text: str) -> bool:
    """Whether Hydra reads the bare text as this very string."""
    words = ("true", "false", "null", "nan", "inf")
    return bool(re.fullmatch(r"[A-Za-z_][\w./:-]*", text, re.ASCII)) and text.lower() not in words


def _key(text: str) -> str:
    """A key of a dict, which Hydra does not let be quoted."""
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", str(text))


def _quoted(text: str) -> str:
    # In quotes a backslash is itself, unless it stands before a quote; ${ would be looked up.
    text = text.replace("${", "\\${")
    return "'" + re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text) + "'"


def _recorded_extras(model: Mapping[str, Any]) -> dict[str, Any]:
    """What a run recorded of its model beside the settings, such as a digest of its source."""
    entry = model_entry(model["name"])
    if entry.extras is None:
        return {}
    settings = {field.name for field in dataclasses.fields(entry.settings)}
    own = {"name", "version", *settings}
    return {key: value for key, value in model.items() if key not in own}


def _differing(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """The dotted names of settings that two identities do not share."""
    names = []
    for part in PARTS:
        keys = dict.fromkeys([*here[part], *there[part]])
        missing = object()
        names += [
            f"{part}.{key}"
            for key in keys
            if here[part].get(key, missing) != there[part].get(key, missing)
        ]
    return names

"""Between Hydra and the suite: schemas that the YAML is checked against, and the check up front.

Hydra finds most mistakes itself, but late and in several lines; here each override is tried before
anything starts, and refused in one line.
"""

from __future__ import annotations

import copyreg
import dataclasses
import importlib.resources
import itertools
import typing
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import hydra
from hydra import compose, initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException, ValidationError

from ntmbench import registry
from ntmbench.errors import SettingError, check_choice, did_you_mean
from ntmbench.evaluation.settings import EvaluationSettings
from ntmbench.runs.folder import check_writable
from ntmbench.runs.settings import RunConfig, run_config
from ntmbench.training.settings import TrainSettings

CONFIG_MODULE = "ntmbench.conf"

#: The group of conf/ that holds whole sweeps.
EXPERIMENT = "experiment"

# Hydra 1.4 behaves so by itself and warns of the keyword. In its place it asks which classes the
# configuration may name.
VERSION_BASE: dict[str, Any] = {}
HYDRA_MAIN: dict[str, Any] = {"execution_whitelist": ["ntmbench.sweeps.RememberSweep"]}
if hydra.__version__.startswith("1.3."):
    HYDRA_MAIN = VERSION_BASE = {"version_base": "1.3"}

# Parallel launchers send the schemas, classes made at run time, to other processes. There their
# fields must find the one object that stands for "no default", not a copy of it.
copyreg.pickle(type(dataclasses.MISSING), lambda missing: "MISSING")


@cache
def register_schemas() -> None:
    """Tell Hydra the types of all settings, and of every registered task and model.

    Raises:
        PluginError: if a plug-in can not be loaded, or has settings of types unknown to Hydra.
    """
    store = ConfigStore.instance()
    parts = {
        "task": Any,
        "model": Any,
        "train": schema_of(TrainSettings),
        "evaluation": schema_of(EvaluationSettings),
        "seed": int,
        "device": str,
        "threads": int,
        "results_dir": str,
        "observers": list[str],
        "rerun": bool,
        "checkpoint_share": float,
    }
    root = dataclasses.make_dataclass(
        "ConfigSchema", [(name, kind, dataclasses.field()) for name, kind in parts.items()]
    )
    store.store(group="schema", name="config", node=root)
    named: list[tuple[str, str, type]] = [
        *(("task", name, registry.task_class(name)) for name in registry.task_names()),
        *(("model", name, registry.model_entry(name).settings) for name in registry.model_names()),
    ]
    conf = importlib.resources.files(CONFIG_MODULE)
    for group, name, settings in named:
        try:
            schema = schema_of(settings, name=name)
            store.store(group=f"schema/{group}", name=name, node=schema)
        except (OmegaConfBaseException, TypeError, ValueError) as error:
            raise registry.PluginError(
                f"The settings of {group} '{name}' are not plain values with defaults: "
                f"{_first_line(error)}"
            ) from error
        if not (conf / group / f"{name}.yaml").is_file():  # a plug-in's
            store.store(group=group, name=name, node=schema)


def schema_of(settings: type, **constants: str) -> type:
    """A mutable twin of a settings dataclass: OmegaConf makes frozen ones read-only."""
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
    return dataclasses.make_dataclass(f"{settings.__name__}Schema", fields)


def _open_dict(factory: Callable[[], dict[str, Any]]) -> DictConfig:
    """A dict that takes further keys, which Hydra otherwise refuses: they are the user's own."""
    return DictConfig(factory(), flags={"struct": False})


def to_run_config(composed: DictConfig) -> RunConfig:
    """Check a composed configuration and build the run from it.

    Raises:
        SettingError: for an unknown key or name, a wrong type or a value out of range.
    """
    values = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(values, dict)
    return run_config({str(name): value for name, value in values.items()})


def check_overrides(arguments: Sequence[str]) -> None:
    """Refuse a command line's overrides in one line, before Hydra starts.

    In a sweep each value is tried once, beside the first values of the others.

    Raises:
        SettingError: for what can not be parsed, an unknown name or key, a wrong type or value.
        RunError: for a results folder that can not be written.
    """
    parsed = [_parse(argument) for argument in arguments]
    overrides = [o for o in parsed if not o.key_or_group.startswith("hydra")]
    for override in overrides:
        _check_sweep(override)
        _check_name(override)
    with initialize_config_module(CONFIG_MODULE, **VERSION_BASE):
        for cell in _cells(overrides):
            _check_cell(cell)


def cells_of(arguments: Sequence[str]) -> list[list[str]]:
    """The overrides of every cell of a sweep, in the order in which Hydra numbers them.

    Empty where another sweeper than Hydra's own chooses the cells as it goes.
    """
    overrides = [_parse(argument) for argument in arguments]
    if any(override.key_or_group == "hydra/sweeper" for override in overrides):
        return []
    return [
        list(cell)
        for cell in itertools.product(
            *(_alternatives(o) for o in overrides if not o.key_or_group.startswith("hydra"))
        )
    ]


def parts_of_campaign(arguments: Sequence[str], *, sweep: bool) -> list[list[str]]:
    """The command lines that ``+experiment=FOLDER`` stands for, one for each file of the folder.

    There are none where ``arguments`` name no folder.

    Raises:
        SettingError: if they do, and ``sweep`` is not set.
    """
    for place, argument in enumerate(arguments):
        key, _, folder = argument.partition("=")
        if key != f"+{EXPERIMENT}":
            continue
        inside = [name for name in _choices_in_files(EXPERIMENT) if name.startswith(f"{folder}/")]
        if inside and not sweep:
            raise SettingError(
                f"{argument} is a campaign of sweeps. Allowed: with the option -m alone."
            )
        if inside:
            before, after = arguments[:place], arguments[place + 1 :]
            return [[*before, f"+{EXPERIMENT}={name}", *after] for name in inside]
    return []


def with_experiment(arguments: Sequence[str], *, sweep: bool) -> list[str]:
    """Write out the sweep that ``+experiment=`` stands for, so that it is checked like any other.

    As in Hydra's own sweeper, an override of the command line takes the place of the experiment's.

    Raises:
        SettingError: for an unknown experiment, or for one that sweeps where ``sweep`` is not set.
    """
    overrides = {argument: _parse(argument) for argument in arguments}
    chosen = [argument for argument, o in overrides.items() if o.key_or_group == EXPERIMENT]
    for argument in chosen:
        _check_name(overrides[argument])
    swept = _swept_by(chosen) if chosen else []
    if swept and not sweep:
        raise SettingError(f"{' '.join(chosen)} is a sweep. Allowed: with the option -m.")
    merged = {_parse(argument).get_key_element(): argument for argument in [*swept, *arguments]}
    return list(merged.values())


def _swept_by(experiment: Sequence[str]) -> list[str]:
    """What Hydra's sweeper would put before the overrides of the command line."""
    with initialize_config_module(CONFIG_MODULE, **VERSION_BASE):
        try:
            composed = compose("config", overrides=list(experiment), return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise SettingError(f"{' '.join(experiment)}: {_first_line(error)}") from error
    return [f"{key}={value}" for key, value in (composed.hydra.sweeper.params or {}).items()]


def for_each_cell(arguments: Sequence[str]) -> list[str]:
    """Rewrite a sweep's overrides so that Hydra applies them where they belong.

    Beside the cells, Hydra composes a configuration without the swept overrides. With
    ``model=lstm,seq2seq model.hidden_size=8`` it would ask the default model for a hidden size.
    Written as a sweep over one value, the override goes to the cells alone.
    """
    overrides = {argument: _parse(argument) for argument in arguments}
    swept = {o.key_or_group for o in overrides.values() if o.is_sweep_override()}
    if not swept & {"task", "model"}:
        return list(arguments)
    return [_as_sweep(argument, override) for argument, override in overrides.items()]


def _as_sweep(argument: str, override: Override) -> str:
    key, _, value = argument.partition("=")
    part = override.key_or_group.partition(".")[0]
    of_cell = part in ("task", "model", "budget", "optimizer", "recipe")
    if override.is_sweep_override() or override.is_delete() or not of_cell or not value:
        return argument
    rewritten = f"{key}=choice({value})"
    try:
        return rewritten if _parse(rewritten).is_sweep_override() else argument
    except SettingError:  # a cast, which can not stand inside a choice
        return argument


def _parse(argument: str) -> Override:
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException as error:
        *_, detail = (line for line in str(error).splitlines() if not line.startswith("See "))
        raise SettingError(
            f"{argument} can not be parsed: {detail}. Allowed: name=value, for example seed=1."
        ) from error


def _check_sweep(override: Override) -> None:
    if not override.is_sweep_override():
        return
    if override.key_or_group == "results_dir":
        raise SettingError(
            f"{override.input_line} sweeps results_dir. Allowed: one folder for all cells."
        )
    if isinstance(override.value(), Glob):
        raise SettingError(
            f"{override.input_line} is a pattern. Allowed: names, as in task=copy,recall."
        )


def _alternatives(override: Override) -> list[str]:
    """A swept override once for each of its values; any other as it is."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def _check_name(override: Override) -> None:
    """Refuse an unknown choice; Hydra itself would let the optional groups be.

    These may be taken out, as in ``~recipe``; nothing else may, because all of it is needed.
    """
    choices: dict[str, Callable[[], list[str]]] = {
        "task": registry.task_names,
        "model": registry.model_names,
        "budget": lambda: _choices_in_files("budget"),
        "optimizer": lambda: _choices_in_files("optimizer"),
        "recipe": lambda: _choices_in_files("recipe"),
    }
    key = override.key_or_group
    if key == EXPERIMENT and not override.is_delete():
        experiments = _choices_in_files(EXPERIMENT)
        if not override.is_add() or override.is_sweep_override():
            raise SettingError(
                f"{override.input_line} is no experiment. "
                f"Allowed: one, or a folder of them, as in +{key}={experiments[0]}."
            )
        folders = dict.fromkeys(name.partition("/")[0] for name in experiments)
        name = str(override.get_value_element_as_str())
        check_choice(f"+{key}", name, [*folders, *experiments])
    elif override.is_delete():
        optional = [name for name in choices if name not in ("task", "model")]
        if key not in optional:
            allowed = ", ".join(f"~{name}" for name in optional)
            raise SettingError(
                f"{override.input_line} takes out what is needed. Allowed: {allowed}."
            )
    elif key in ("task.name", "model.name"):
        group = key.removesuffix(".name")
        raise SettingError(f"{override.input_line} is no setting. Allowed: {group}=<its name>.")
    elif key in choices:
        for value in _values(override):
            check_choice(key, value, choices[key]())


def _choices_in_files(group: str) -> list[str]:
    """The choices that lie in conf/, those in a sub-folder as ``folder/name``."""
    names = []
    for found in (importlib.resources.files(CONFIG_MODULE) / group).iterdir():
        if found.name.endswith(".yaml"):
            names.append(found.name.removesuffix(".yaml"))
        elif found.is_dir() and not found.name.startswith("_"):
            names += [f"{found.name}/{name}" for name in _choices_in_files(f"{group}/{found.name}")]
    return sorted(names)


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [str(override.get_value_element_as_str())]


def _cells(overrides: Sequence[Override]) -> Iterator[list[str]]:
    """Lists of overrides without sweeps, in which each swept value occurs once."""
    alternatives = [_alternatives(override) for override in overrides]
    first = [values[0] for values in alternatives]
    yield first
    for i, values in enumerate(alternatives):
        for value in values[1:]:
            yield [*first[:i], value, *first[i + 1 :]]


def _check_cell(overrides: list[str]) -> None:
    try:
        config = to_run_config(compose("config", overrides=overrides))
    except (HydraException, OmegaConfBaseException) as error:
        # The shortest list that already fails ends with the override at fault.
        for count in range(1, len(overrides) + 1):
            try:
                compose("config", overrides=overrides[:count])
            except (HydraException, OmegaConfBaseException) as narrowed:
                raise SettingError(_refusal(overrides[count - 1], overrides, narrowed)) from error
        raise SettingError(_first_line(error)) from error
    check_writable(config.results_dir)  # before Hydra makes the folder of a sweep in it


def _refusal(override: str, cell: Sequence[str], error: Exception) -> str:
    key = override.lstrip("+~").partition("=")[0]
    known = _known_keys(cell)
    if key in known:
        cause = _innermost(error)
        allowed = _allowed_type(key, cell) if isinstance(cause, ValidationError) else ""
        return f"{override} is refused: {_first_line(cause).rstrip('.')}.{allowed}"
    part = key.rpartition(".")[0]
    siblings = sorted(name for name in known if name.rpartition(".")[0] == part)
    near = did_you_mean(key, siblings) or did_you_mean(key, known)
    if part and siblings:
        return f"Unknown setting {key}. Allowed: {', '.join(siblings)}.{near}"
    return f"Unknown setting {key}.{near} All settings: --help."


def _allowed_type(key: str, cell: Sequence[str]) -> str:
    default = OmegaConf.select(_defaults(cell), key)
    kinds = {bool: "true or false", int: "a whole number (int)", float: "a number (float)"}
    return f" Allowed: {kinds[type(default)]}." if type(default) in kinds else ""


def _innermost(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _known_keys(cell: Sequence[str]) -> list[str]:
    """The path of every setting, for the cell's task and model."""
    composed = _defaults(cell)
    keys = [*composed, "budget", "optimizer", "recipe", f"+{EXPERIMENT}"]
    for part in ("task", "model", "train", "evaluation"):
        keys += [f"{part}.{name}" for name in composed[part]]
    return [str(key) for key in keys]


def _defaults(cell: Sequence[str]) -> DictConfig:
    """What the cell's task and model come with."""
    choices = [o for o in cell if o.partition("=")[0] in ("task", "model")]
    return compose("config", overrides=choices)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))

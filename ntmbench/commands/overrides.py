"""The check of a command line's overrides, before anything starts.

Hydra finds most mistakes itself, but late and in several lines. Here each override is tried first
and, if it is wrong, refused in one line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from hydra import compose
from hydra.core.override_parser.types import Glob, Override
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, ValidationError

from ntmbench.commands.grammar import MAX_CELLS, alternatives, number_of_values, parse
from ntmbench.commands.hydras import check_hydras, is_hydras
from ntmbench.composition.composing import (
    REFUSALS,
    choices,
    composing,
    first_line,
    innermost,
    to_run_config,
)
from ntmbench.composition.groups import EXPERIMENT, NEEDED, OPTIONAL
from ntmbench.errors import SettingError, check_choice, did_you_mean
from ntmbench.registry import model_entry
from ntmbench.runs.folder import check_folder, check_writable
from ntmbench.runs.settings import FIXED_PARTS

#: A range of more values than this is tried at its two ends alone.
TRIED = 100


def check_overrides(arguments: Sequence[str], *, sweep: bool) -> None:
    """Refuse a command line's overrides in one line, before Hydra starts.

    ``sweep`` says whether a setting may have several values. Each is tried once, with the first
    values of the other settings.

    Raises:
        SettingError: for what cannot be parsed, an unknown name or key, a wrong type or value,
            several values if ``sweep`` is not set, or too many cells.
        RunError: for a sweep's results folder that cannot be written.
    """
    parsed = [parse(argument) for argument in arguments]
    overrides = [override for override in parsed if not is_hydras(override)]
    with composing():
        for override in overrides:
            _check_sweep(override)
            check_name(override)
        _check_cells(parsed, sweep=sweep)
        check_hydras([override for override in parsed if is_hydras(override)])
        for cell in _cells(overrides):
            _check_cell(cell, sweep=sweep)


def _check_cells(overrides: Sequence[Override], *, sweep: bool) -> None:
    """Refuse a sweep that is not asked for, and one of too many cells."""
    swept = [override for override in overrides if override.is_sweep_override()]
    if swept and not sweep:
        several = " ".join(str(override.input_line) for override in swept)
        raise SettingError(
            f"{several} gives several values. Allowed: one, or a sweep over them: add -m."
        )
    cells = math.prod(number_of_values(override) for override in swept)
    if cells > MAX_CELLS:
        raise SettingError(f"The sweep has {cells:,} cells. Allowed: at most {MAX_CELLS:,}.")


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


def check_name(override: Override) -> None:
    """Refuse an unknown choice; Hydra itself would ignore one of an optional group.

    Optional groups may be taken out, as in ``~recipe``. Nothing else may, because it is needed.

    Raises:
        SettingError: for an unknown choice, or one that is not allowed here.
    """
    key = override.key_or_group
    if key == EXPERIMENT and not override.is_delete():
        _check_experiment(override)
    elif override.is_delete():
        if key not in OPTIONAL:
            allowed = ", ".join(f"~{name}" for name in OPTIONAL)
            raise SettingError(
                f"{override.input_line} takes out what every run needs. Allowed: {allowed}."
            )
    elif key in [f"{group}.name" for group in NEEDED]:
        group = key.removesuffix(".name")
        raise SettingError(f"{override.input_line} is not a setting. Allowed: {group}=<its name>.")
    elif key in (*NEEDED, *OPTIONAL):
        for value in _values(override):
            check_choice(key, value, choices(key))


def _check_experiment(override: Override) -> None:
    experiments = choices(EXPERIMENT)
    if not override.is_add() or override.is_sweep_override():
        raise SettingError(
            f"{override.input_line} is not an experiment. "
            f"Allowed: one, or a folder of them, as in +{EXPERIMENT}={experiments[0]}."
        )
    folders = dict.fromkeys(name.partition("/")[0] for name in experiments)
    name = str(override.get_value_element_as_str())
    check_choice(f"+{EXPERIMENT}", name, [*folders, *experiments])


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [str(override.get_value_element_as_str())]


def _cells(overrides: Sequence[Override]) -> Iterator[list[str]]:
    """Lists of overrides without sweeps, in which each swept value occurs at least once."""
    tried = [_tried(override) for override in overrides]
    first = [values[0] for values in tried]
    yield first
    for i, values in enumerate(tried):
        for value in values[1:]:
            yield [*first[:i], value, *first[i + 1 :]]


def _tried(override: Override) -> list[str]:
    values = alternatives(override)
    return values if len(values) <= TRIED else [values[0], values[-1]]


def _check_cell(overrides: list[str], *, sweep: bool) -> None:
    try:
        composed = compose("config", overrides=overrides)
    except REFUSALS as error:
        # The shortest list that fails ends with the override at fault.
        for count in range(1, len(overrides)):
            try:
                compose("config", overrides=overrides[:count])
            except REFUSALS as narrowed:
                raise SettingError(_refusal(overrides[count - 1], overrides, narrowed)) from error
        if not overrides:
            raise SettingError(first_line(error)) from error
        raise SettingError(_refusal(overrides[-1], overrides, error)) from error
    config = to_run_config(composed)
    _check_budget(overrides, composed)
    if sweep:
        check_writable(config.results_dir)  # before Hydra makes the sweep's folder in it
    else:
        check_folder(config.results_dir)  # a finished run is shown from a folder that is read-only


def _check_budget(cell: Sequence[str], composed: DictConfig) -> None:
    """Refuse a budget of parameters that is asked for where the model's width does not follow it.

    The budget that comes with a task is another matter: recipes may set a width beside it.
    """
    asked = [o for o in cell if o.lstrip("+").startswith("budget.parameters=")]
    name = composed.model.name
    width = model_entry(name).width
    if not asked or not composed.budget.parameters or (width and composed.model[width] == 0):
        return
    if width is None:
        raise SettingError(
            f"{asked[-1]} has no effect, because model={name} has no width. "
            "Allowed: budget.parameters=0."
        )
    raise SettingError(
        f"{asked[-1]} has no effect beside model.{width}={composed.model[width]}. "
        f"Allowed: model.{width}=0, which takes the width that the budget allows."
    )


def _refusal(override: str, cell: Sequence[str], error: Exception) -> str:
    key = override.lstrip("+~").partition("=")[0]
    known = known_keys(cell)
    cause = innermost(error)
    if isinstance(cause, ConfigKeyError) and (foreign := _of_another_model(cause, cell)):
        return foreign
    if key in known:
        allowed = _allowed_type(key, cell) if isinstance(cause, ValidationError) else ""
        return f"{override} is refused: {first_line(cause).rstrip('.')}.{allowed}"
    part = key.rpartition(".")[0]
    siblings = sorted(name for name in known if name.rpartition(".")[0] == part)
    near = did_you_mean(key, siblings) or did_you_mean(key, known)
    if part and siblings:
        return f"Unknown setting {key}. Allowed: {', '.join(siblings)}.{near}"
    return f"Unknown setting {key}.{near} All settings: --help."


def _of_another_model(cause: ConfigKeyError, cell: Sequence[str]) -> str:
    """The refusal of a recipe that sets what the model does not have; empty for another cause."""
    part, _, setting = str(cause.full_key).partition(".")
    chosen = [o for o in cell if o.partition("=")[0] in OPTIONAL]
    if part != "model" or not chosen:
        return ""
    model = _defaults(cell).model.name
    group = chosen[-1].partition("=")[0]
    fitting = [name for name in choices(group) if f"_{model}_" in f"_{name.replace('/', '_')}_"]
    return (
        f"{chosen[-1]} is for another model: it sets model.{setting}, which model={model} does not "
        f"have. Allowed: {', '.join([*fitting, f'~{group}'])}."
    )


def _allowed_type(key: str, cell: Sequence[str]) -> str:
    default = OmegaConf.select(_defaults(cell), key)
    if isinstance(default, ListConfig):
        return f" Allowed: a list, as in {key}=[{','.join(map(str, default)) or '...'}]."
    kinds = {bool: "true or false", int: "a whole number (int)", float: "a number (float)"}
    return f" Allowed: {kinds[type(default)]}." if type(default) in kinds else ""


def known_keys(cell: Sequence[str]) -> list[str]:
    """The path of every setting, for the cell's task and model."""
    composed = _defaults(cell)
    keys = [*composed, *OPTIONAL, f"+{EXPERIMENT}"]
    for part in (*NEEDED, *FIXED_PARTS):
        keys += [f"{part}.{name}" for name in composed[part]]
    return [str(key) for key in keys]


def _defaults(cell: Sequence[str]) -> DictConfig:
    """The choices that the cell's task and model come with."""
    choices = [o for o in cell if o.partition("=")[0] in NEEDED]
    return compose("config", overrides=choices)

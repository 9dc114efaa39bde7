"""The command line of a search: its own settings, and the run that they are searched for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra import compose
from hydra.core.override_parser.types import Override
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ntmbench.commands.grammar import parse
from ntmbench.commands.hydras import is_hydras
from ntmbench.commands.launchers import GROUP
from ntmbench.commands.overrides import check_overrides
from ntmbench.composition.composing import composing, first_line, to_run_config
from ntmbench.composition.groups import EXPERIMENT
from ntmbench.data.ranges import Searched
from ntmbench.errors import SettingError, check_known
from ntmbench.registry import model_entry
from ntmbench.runs.settings import RunConfig
from ntmbench.search.launchers import Launcher, is_launchers, launcher_from
from ntmbench.search.settings import FIRST_SEED, SearchSettings
from ntmbench.search.space import space_of

#: What the settings of a search begin with.
PREFIX = "search."
#: Settings of a run that its trial does not need, beside those of its tests.
WITHOUT_EFFECT = ("observers", "rerun")


@dataclass(frozen=True)
class Search:
    """A search as its command line asks for it.

    Attributes:
        settings: of the search.
        base: a trial's run without the values that are searched.
        space: the ranges of those, by name.
        full_sequences: the training sequences of a run, of which a trial has a share.
        arguments: the command line.
        overrides: those of the base.
        launcher: what starts the workers; None for this process alone.
    """

    settings: SearchSettings
    base: DictConfig
    space: dict[str, Searched]
    full_sequences: int
    arguments: tuple[str, ...]
    overrides: tuple[str, ...]
    launcher: Launcher | None

    def config(self, values: dict[str, Any] | None = None, seed_offset: int = 0) -> RunConfig:
        """The run with some values of the space.

        Raises:
            SettingError: if they do not go together.
        """
        composed = self.base.copy()
        composed.seed += seed_offset
        for name, value in (values or {}).items():
            OmegaConf.update(composed, name, value)
        return to_run_config(composed)

    @property
    def seeds(self) -> list[int]:
        """The seeds of a trial."""
        return [self.base.seed + offset for offset in range(self.settings.seeds)]


def search_from(arguments: Sequence[str]) -> Search:
    """Check the command line of a search, and compose what it asks for.

    Raises:
        SettingError: for what cannot be parsed, an unknown name, a wrong type or value, a sweep, an
            option, a seed of reported runs, or nothing to search.
        RunError: for a results folder that cannot be written.
    """
    for argument in arguments:
        if argument.startswith("-"):
            raise SettingError(f"{argument} is no option of a search. Allowed: --help, name=value.")
    own = [argument for argument in arguments if argument.startswith(PREFIX)]
    settings = search_settings(own)
    parsed = [_checked(argument) for argument in arguments if argument not in own]
    launchers = [override for override in parsed if is_hydras(override)]
    runs = [override for override in parsed if not is_hydras(override)]
    given = [str(override.key_or_group) for override in runs]
    overrides = [str(override.input_line) for override in runs]
    if "seed" not in given:
        overrides.append(f"seed={FIRST_SEED}")
    check_overrides(overrides, sweep=False)
    with composing():
        launcher = launcher_from(launchers, settings.workers)
        base = compose("config", overrides=overrides)
    config = to_run_config(base)
    if config.seed < FIRST_SEED:
        raise SettingError(
            f"seed={config.seed} is for reported runs. Allowed in a search: {FIRST_SEED} or more."
        )
    space = space_of(config, settings.over, given)
    _set_width(base, config, space, given)
    sequences = max(1, round(settings.share * config.train.sequences))
    base.train.sequences = sequences
    search = Search(
        settings,
        base,
        space,
        config.train.sequences,
        tuple(arguments),
        tuple(overrides),
        launcher,
    )
    search.config()  # a share may leave too few sequences
    return search


def _checked(argument: str) -> Override:
    override = parse(argument)
    key = str(override.key_or_group)
    if override.is_sweep_override():
        raise SettingError(
            f"{argument} is a sweep. Allowed in a search: one value, and search.seeds."
        )
    if key == EXPERIMENT or (is_hydras(override) and not is_launchers(override)):
        raise SettingError(
            f"{argument} is not for a search. Allowed: settings, recipes, and {GROUP}."
        )
    if key in WITHOUT_EFFECT or key.startswith("evaluation"):
        raise SettingError(f"{argument} has no effect in a search, which tests and draws no run.")
    return override


def _set_width(
    base: DictConfig, config: RunConfig, space: dict[str, Searched], given: Sequence[str]
) -> None:
    """Leave the width to the budget where a search varies other sizes of the model."""
    width = model_entry(config.model).width
    varied = any(name.startswith("model.") for name in space)
    free = width is not None and f"model.{width}" not in given
    if varied and free and base.budget.parameters:
        base.model[width] = 0


def search_settings(arguments: Sequence[str]) -> SearchSettings:
    """The settings that overrides such as ``search.trials=50`` give.

    Raises:
        SettingError: for an unknown setting, a wrong type or a value out of range.
    """
    known = [setting.name for setting in dataclasses.fields(SearchSettings)]
    values = OmegaConf.structured(SearchSettings)
    OmegaConf.set_readonly(values, False)
    for argument in arguments:
        override = parse(argument)
        name = override.key_or_group.removeprefix(PREFIX)
        check_known("search", name, known)
        if override.is_sweep_override() or override.is_delete() or override.is_add():
            raise SettingError(f"{argument} is refused. Allowed: one value, {PREFIX}{name}=VALUE.")
        if override.value() == MISSING:
            raise SettingError(f"{argument} gives no value. Allowed: {PREFIX}{name}=VALUE.")
        try:
            OmegaConf.update(values, name, override.value())
        except OmegaConfBaseException as error:
            reason = first_line(error).rstrip(".")
            raise SettingError(f"{argument} is refused: {reason}.") from error
    try:
        plain = OmegaConf.to_container(values, resolve=True)
    except OmegaConfBaseException as error:
        raise SettingError(first_line(error)) from error
    assert isinstance(plain, dict)
    return SearchSettings(**{str(name): value for name, value in plain.items()})

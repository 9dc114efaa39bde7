"""The check of overrides of Hydra's own settings."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError

from ntmbench.commands.launchers import GROUP, check_launcher
from ntmbench.composition.composing import REFUSALS, first_line, innermost
from ntmbench.errors import SettingError, did_you_mean


def is_hydras(override: Override) -> bool:
    """Whether an override is of Hydra's own settings."""
    key = override.key_or_group
    return key == "hydra" or key.startswith(("hydra.", "hydra/"))


def check_hydras(overrides: Sequence[Override]) -> None:
    """Refuse what Hydra would refuse late and in several lines, or take without a use for it.

    To be called while composing. Swept ones are left to Hydra.

    Raises:
        SettingError: naming the override.
    """
    given: list[str] = []
    for override in overrides:
        line = str(override.input_line)
        if override.key_or_group.endswith("._target_"):
            raise SettingError(
                f"{line} names a class of Hydra's. Allowed: a choice, as hydra/launcher=basic."
            )
        if override.is_sweep_override():
            continue
        if override.key_or_group == "hydra":
            raise SettingError(
                f"{line} is no setting. Allowed: those of Hydra, as hydra.sweep.dir=folder."
            )
        if override.key_or_group == GROUP:
            check_launcher(str(override.get_value_element_as_str()))
        if not override.is_delete() and "/" not in override.key_or_group:
            _check_known(override, given)
        given.append(line)
        try:
            with warnings.catch_warnings():  # of a search path that leads nowhere
                warnings.simplefilter("error", UserWarning)
                composed = compose("config", overrides=given, return_hydra_config=True)
            _resolve(override, composed)
        except (*REFUSALS, UserWarning) as error:
            raise SettingError(
                f"{line} is refused: {first_line(innermost(error)).rstrip('.')}."
            ) from error


def check_package(overrides: Sequence[str], package: str, *, hydras: bool) -> None:
    """Refuse a part of the configuration that is to be shown and is not there.

    ``hydras`` tells whether Hydra's own settings are shown too. To be called while composing.

    Raises:
        SettingError: naming the part.
    """
    composed = compose("config", overrides=list(overrides), return_hydra_config=hydras)
    if package != "_global_" and OmegaConf.select(composed, package) is None:
        parts = [str(key) for key in composed]
        raise SettingError(
            f"--package {package} is no part of the configuration. Allowed: {', '.join(parts)}, "
            f"and what is in them.{did_you_mean(package, parts)}"
        )


def _check_known(override: Override, given: Sequence[str]) -> None:
    """Refuse a new key in a part of Hydra's settings that has a fixed set of them."""
    part, _, name = override.key_or_group.rpartition(".")
    composed = compose("config", overrides=list(given), return_hydra_config=True)
    node = OmegaConf.select(composed, part)
    if not isinstance(node, DictConfig):
        raise SettingError(f"{override.input_line}: Hydra has no settings {part}.")
    kind = OmegaConf.get_type(node)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        allowed = [field.name for field in dataclasses.fields(kind)]
        if name not in allowed:
            raise SettingError(
                f"{override.input_line} is no setting of Hydra. Allowed in {part}: "
                f"{', '.join(allowed)}.{did_you_mean(name, allowed)}"
            )


def _resolve(override: Override, composed: DictConfig) -> None:
    """Ask for the setting's value, which may refer to others."""
    holder = HydraConfig.instance()
    before = holder.cfg
    holder.set_config(composed)
    try:
        if "/" not in override.key_or_group and not override.is_delete():
            OmegaConf.select(composed, override.key_or_group)
    except InterpolationToMissingValueError:  # such as the cell's number, which Hydra fills in
        pass
    finally:
        holder.cfg = before

"""Hydra's grammar of overrides: parsing one, and the values of a swept one."""

from __future__ import annotations

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from ntmbench.errors import SettingError


def parse(argument: str) -> Override:
    """Parse one override; raise SettingError if it is not one."""
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException as error:
        *_, detail = (line for line in str(error).splitlines() if not line.startswith("See "))
        raise SettingError(
            f"{argument} cannot be parsed: {detail}. Allowed: name=value, for example seed=1."
        ) from error


def alternatives(override: Override) -> list[str]:
    """One override for each value of a swept one; any other as it is."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]

"""The space of a search: the settings that it varies, their ranges, and values from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ntmbench.data.ranges import Choice, LogRange, Searched, declared
from ntmbench.errors import SettingError, check_choice
from ntmbench.runs.settings import RunConfig

if TYPE_CHECKING:
    from optuna import Trial

#: The parts of a run whose settings may have ranges.
PARTS = ("model", "train")
#: Digits of a number that is no whole one; more would claim what no search can tell.
DIGITS = 3


def space_of(config: RunConfig, over: Sequence[str], given: Collection[str]) -> dict[str, Searched]:
    """The ranges of a search, by the setting's name on the command line.

    Each is just wide enough to hold the value in ``config`` too, where it can be.

    Args:
        config: a run as it is composed without a search.
        over: the settings to search; empty for all that have a range and are not ``given``.
        given: the settings that the command line gives, which stay as they are.

    Raises:
        SettingError: for a setting without a range, for one that is given and to be searched, or
            if none is left.
    """
    settings = {"model": config.model_settings, "train": config.train}
    ranges = {
        f"{part}.{name}": values.holding(getattr(settings[part], name))
        for part in PARTS
        for name, values in declared(type(settings[part])).items()
    }
    for name in over:
        check_choice("search.over", name, sorted(ranges))
        if name in given:
            raise SettingError(f"{name} is both given and in search.over. Allowed: one of the two.")
    chosen = [name for name in ranges if (name in over if over else name not in given)]
    if not chosen:
        raise SettingError(
            f"Nothing is left to search, since the command line gives all of {', '.join(ranges)}. "
            "Allowed: leave one out."
        )
    return {name: ranges[name] for name in chosen}


def values_now(config: RunConfig, space: Mapping[str, Searched]) -> dict[str, Any]:
    """The values that a run has for the settings of a space."""
    settings = {"model": config.model_settings, "train": config.train}
    found = {}
    for name in space:
        part, _, field = name.partition(".")
        found[name] = getattr(settings[part], field)
    return found


def holds(values: Searched, value: Any) -> bool:
    """Whether a range has a value in it."""
    if isinstance(values, Choice):
        return value in values.values
    return bool(values.low <= value <= values.high)


def suggested(trial: Trial, space: Mapping[str, Searched]) -> dict[str, Any]:
    """A value for each setting, as the study's sampler suggests."""
    return {name: rounded(_suggest(trial, name, values)) for name, values in space.items()}


def _suggest(trial: Trial, name: str, values: Searched) -> Any:
    if isinstance(values, Choice):
        return trial.suggest_categorical(name, values.values)
    log = isinstance(values, LogRange)
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(name, values.low, values.high, log=log)
    return trial.suggest_float(name, values.low, values.high, log=log)


def rounded(value: Any) -> Any:
    """A value with no more digits than DIGITS, unless it is whole; as it is trained and written."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value

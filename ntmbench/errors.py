"""Checks of user settings, and the one exception for what the user can mend.

Every refusal of the suite is a single line that says what was wrong, what is allowed and,
for names, the nearest valid choice.
"""

from __future__ import annotations

import difflib
import math
import typing
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

# Limits of a model's layers. Larger numbers are taken for typing errors: they would exhaust the
# memory of most machines.
MAX_SIZE = 2**14
MAX_LAYERS = 64


class UserError(Exception):
    """Something that the user can mend. The command line prints it as one line and exits with 2."""


class ModelError(UserError):
    """A model cannot be built, or does not keep the contract."""


class SettingError(UserError, ValueError):
    """A setting is unknown, of the wrong type or outside its range."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest of ``choices``, or an empty string."""
    near = difflib.get_close_matches(name, list(choices), n=5, cutoff=0.5)
    if not near:
        return ""

    def likeness(choice: str) -> tuple[float, bool]:
        # Of equally near ones the one that begins alike: few mistype the first letter.
        return difflib.SequenceMatcher(None, choice, name).ratio(), choice[:1] == name[:1]

    return f" Did you mean '{max(near, key=likeness)}'?"


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise SettingError unless ``value`` is one of ``choices``."""
    if value not in choices:
        allowed = ", ".join(choices)
        raise SettingError(
            f"{name}={value} is not a choice. Allowed: {allowed}.{did_you_mean(value, choices)}"
        )


def check_known(owner: str, name: str, allowed: Sequence[str]) -> None:
    """Raise SettingError unless ``name`` is one of the settings that ``owner`` has."""
    if name not in allowed:
        raise SettingError(
            f"{owner} has no setting '{name}'. Allowed: {', '.join(allowed)}."
            f"{did_you_mean(name, allowed)}"
        )


def check_range(
    name: str,
    value: float,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float | None = None,
) -> None:
    """Raise SettingError unless ``low <= value <= high``, and ``value > above`` where given.

    NaN and infinity are outside every range.
    """
    if math.isfinite(value) and low <= value <= high and (above is None or value > above):
        return
    if above is not None:
        allowed = f"above {_text(above)}"
        if not math.isinf(high):
            allowed += f" and at most {_text(high)}"
    elif math.isinf(high):
        allowed = f"{_text(low)} or more"
    else:
        allowed = f"from {_text(low)} to {_text(high)}"
    if math.isinf(value):
        allowed += ", finite"
    raise SettingError(f"{name}={value} is out of range. Allowed: {allowed}.")


def check_whole(name: str, value: object, low: float, high: float = math.inf) -> None:
    """Raise SettingError unless ``value`` is a whole number, no bool, and ``low <= value <= high``.

    2.0 is refused too: it could not stand for a size.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise SettingError(f"{name}={value!r} is not a whole number.")
    check_range(name, int(value), low, high)


def check_list(name: str, value: object) -> Sequence[Any]:
    """Return ``value`` if it is a list or a tuple; raise SettingError otherwise."""
    if not isinstance(value, list | tuple):
        raise SettingError(f"{name}={value!r} is no list. Allowed: {name}=[{value}].")
    return value


def check_types(owner: str, settings_class: type, settings: Mapping[str, Any]) -> None:
    """Raise SettingError unless plain values are of the types that a settings class declares."""
    hints = typing.get_type_hints(settings_class)
    for name, value in settings.items():
        kind = hints[name]
        # A whole number may stand for a float, but a bool is not a number.
        fitting = (int, float) if kind is float else kind
        if kind in (int, float, str, bool) and (
            not isinstance(value, fitting) or (isinstance(value, bool) and kind is not bool)
        ):
            raise SettingError(
                f"{owner}: {name}={value!r} is of type {type(value).__name__}. "
                f"Allowed: {kind.__name__}."
            )


def _text(number: float) -> str:
    """Whole numbers with all their digits."""
    return str(number) if isinstance(number, int) else f"{number:g}"

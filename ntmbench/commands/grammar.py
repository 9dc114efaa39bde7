"""Hydra's grammar of overrides: parsing one, and the values of a swept one."""

from __future__ import annotations

import math
from decimal import Decimal

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException

from ntmbench.errors import SettingError

#: Cells of a sweep at most. Larger numbers are taken for typing errors: their list alone would take
#: minutes and the machine's memory.
MAX_CELLS = 100_000


def parse(argument: str) -> Override:
    """Parse one override.

    Raises:
        SettingError: if it is not one, or a sweep whose values cannot be listed.
    """
    try:
        override = OverridesParser.create().parse_override(argument)
    except HydraException as error:
        *_, detail = (line for line in str(error).splitlines() if not line.startswith("See "))
        raise SettingError(
            f"{argument} cannot be parsed: {detail}. Allowed: name=value, for example seed=1."
        ) from error
    count = number_of_values(override)
    if count == 0:
        raise SettingError(f"{argument} has no value. Allowed: one or more, as in seed=0,1.")
    if count > MAX_CELLS:
        raise SettingError(f"{argument} has too many values. Allowed: {MAX_CELLS:,}.")
    return override


def number_of_values(override: Override) -> float:
    """The number of values of a swept override, counted without listing them; 1 of any other.

    Raises:
        SettingError: for an interval, or a range that never ends.
    """
    value = override.value()
    if isinstance(value, IntervalSweep):
        raise SettingError(
            f"{override.input_line} is an interval, whose values cannot be listed. "
            "Allowed: values, as in 1,2,3."
        )
    if isinstance(value, ChoiceSweep):
        return len(value.list)
    if not isinstance(value, RangeSweep):
        return 1
    start, stop, step = (Decimal(end or 0) for end in (value.start, value.stop, value.step))
    if step == 0 or not all(end.is_finite() for end in (start, stop, step)):
        raise SettingError(
            f"{override.input_line} never ends. Allowed: finite numbers and a step other than 0."
        )
    return max(0, math.ceil((stop - start) / step))


def alternatives(override: Override) -> list[str]:
    """One override for each value of a swept one; any other as it is."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]

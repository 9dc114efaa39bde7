"""Launchers of Hydra's as a search asks for them, to start its workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import Override

from ntmbench.commands.hydras import check_hydras
from ntmbench.commands.launchers import GROUP, NEEDED
from ntmbench.errors import SettingError

#: What the settings of a launcher begin with.
PREFIX = "hydra.launcher."
#: The launcher that starts no process.
BASIC = "basic"
#: Launchers that start a process again that was interrupted.
RESTARTING = ("ray", "slurm")


@dataclass(frozen=True)
class Launcher:
    """A launcher with its settings.

    Attributes:
        name: the choice of ``hydra/launcher``.
        overrides: that choice, and the settings ``hydra.launcher.*``.
    """

    name: str
    overrides: tuple[str, ...]

    @property
    def restarts(self) -> bool:
        """Whether it starts a process again that was interrupted."""
        return self.name in RESTARTING


def is_launchers(override: Override) -> bool:
    """Whether an override chooses a launcher or is a setting of one."""
    key = override.key_or_group
    return not override.is_delete() and (key == GROUP or key.startswith(PREFIX))


def launcher_from(overrides: Sequence[Override], workers: int) -> Launcher | None:
    """The launcher that overrides choose for so many workers; None for the basic one.

    To be called while composing.

    Raises:
        SettingError: for a launcher or a setting that there is not, one that the search itself
            sets, or more workers than the basic launcher can start.
    """
    chosen = [o.get_value_element_as_str() for o in overrides if o.key_or_group == GROUP]
    name = str(chosen[-1]) if chosen else BASIC
    if name == BASIC:
        _check_basic(overrides, workers)
        return None
    check_hydras(overrides)
    own = _own_setting(name, workers)
    for override in overrides:
        if own and override.key_or_group == own[0]:
            raise SettingError(
                f"{override.input_line} is not for a search, which sets it. "
                "Allowed: search.workers, the number of processes."
            )
    given = tuple(str(override.input_line) for override in overrides)
    return Launcher(name, (*given, *(["=".join(own)] if own else [])))


def _check_basic(overrides: Sequence[Override], workers: int) -> None:
    others = ", ".join(f"{GROUP}={name}" for name in sorted(NEEDED))
    for override in overrides:
        if override.key_or_group != GROUP:
            raise SettingError(
                f"{override.input_line} has no effect without a launcher. Allowed: with {others}."
            )
    if workers > 1:
        raise SettingError(
            f"search.workers={workers} needs a launcher that starts processes. Allowed: {others}."
        )


def _own_setting(launcher: str, workers: int) -> tuple[str, str] | None:
    """What lets all workers of a launcher run side by side."""
    if launcher == "joblib":
        return f"{PREFIX}n_jobs", str(workers)
    name = {"ray": "cells_per_task", "slurm": "cells_per_job"}.get(launcher)
    return (f"{PREFIX}{name}", "1") if name else None

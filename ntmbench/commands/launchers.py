"""The suite's launchers, made known to Hydra."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec

from hydra.core.plugins import Plugins

from ntmbench.composition.composing import choices
from ntmbench.errors import SettingError, check_choice

PACKAGE = "hydra_plugins.ntmbench"
#: The group of entry points that Hydra 1.4 takes plug-ins from.
HYDRAS = "hydra.plugins"
GROUP = "hydra/launcher"

#: What each launcher needs beside the suite itself, and the extra that brings it.
NEEDED = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "parallel"),
    "ray": ("ray", "cluster"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher", "cluster"),
}


@cache
def register_launchers() -> None:
    """Register the launchers that pyproject.toml names, as Hydra 1.4 does by itself.

    Hydra 1.3 looks for plug-ins in folders alone, and so does not find them where the suite's
    folders are linked (``pip install -e``).
    """
    for found in entry_points(group=HYDRAS):
        if found.module.startswith(f"{PACKAGE}."):
            Plugins.instance().register(found.load())


def check_launcher(name: str) -> None:
    """Refuse a launcher whose extra is not installed, and one that there is not; while composing.

    Raises:
        SettingError: naming the extra, or the launchers that there are.
    """
    module, extra = NEEDED.get(name, ("", ""))
    if module and find_spec(module) is None:
        raise SettingError(
            f"{GROUP}={name} needs the extra '{extra}': pip install 'ntmbench[{extra}]'."
        )
    check_choice(GROUP, name, choices(GROUP))

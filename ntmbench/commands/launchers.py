"""The suite's launchers, made known to Hydra."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher

from ntmbench.composition.composing import choices
from ntmbench.errors import SettingError, check_choice

PACKAGE = "hydra_plugins.ntmbench"
GROUP = "hydra/launcher"

#: What each launcher needs beside the suite itself, and the extra that brings it.
NEEDED = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "parallel"),
    "ray": ("ray", "cluster"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher", "cluster"),
}


@cache
def register_launchers() -> None:
    """Register every launcher of the package.

    Hydra looks for plug-ins in folders, and finds these only where the suite is installed as a
    whole, not where its folders are linked (``pip install -e``).
    """
    package = importlib.import_module(PACKAGE)
    for found in pkgutil.iter_modules(package.__path__, f"{PACKAGE}."):
        for value in vars(importlib.import_module(found.name)).values():
            if isinstance(value, type) and issubclass(value, Launcher) and value is not Launcher:
                Plugins.instance().register(value)


def check_launcher(name: str) -> None:
    """Refuse a launcher whose extra is not installed, and one that there is not; while composing.

    Raises:
        SettingError: naming the extra, or the launchers that there are.
    """
    module, extra = NEEDED.get(name, ("", ""))
    if module and importlib.util.find_spec(module) is None:
        raise SettingError(
            f"{GROUP}={name} needs the extra '{extra}': pip install 'ntmbench[{extra}]'."
        )
    check_choice(GROUP, name, choices(GROUP))

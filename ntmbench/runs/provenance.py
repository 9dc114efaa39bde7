"""The origin of a run's numbers: versions, commits and the device."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

VERSIONED = ("ntmbench", "torch", "numpy", "pandas", "hydra-core", "numba")


def device_name(device: torch.device) -> str:
    """The device in words, for the status."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"cpu ({platform.machine()}, {os.cpu_count()} cores)"


def versions() -> dict[str, str]:
    """The version of Python and of each package that the numbers depend on."""
    packages = {name: importlib.metadata.version(name) for name in VERSIONED}
    # torch.__version__ also names the build, such as +cu130. The package's metadata may not.
    packages["torch"] = str(torch.__version__)
    return {"python": platform.python_version(), **packages}


def commits(earlier: Mapping[str, Any]) -> list[str | None]:
    """The commits of all versions that worked on a run in order, the current one last."""
    # Older versions wrote only the last one.
    before = earlier.get("commits") or ([earlier["commit"]] if "commit" in earlier else [])
    now = _commit()
    return [*before, now] if before[-1:] != [now] else list(before)


@functools.cache  # the source may change during a sweep, but the running code does not
def _commit() -> str | None:
    """The git commit of the running source, with ``+`` if it was changed; None without one."""
    source = Path(__file__).parents[1]
    try:
        root = _git(source, "rev-parse", "--show-toplevel")
        if not root or Path(root) / source.name != source:
            return None  # installed into an environment, and a repository around that is not ours
        return _git(source, "describe", "--always", "--abbrev=40", "--dirty=+")
    except FileNotFoundError:
        return None  # no git on this machine


def _git(folder: Path, *arguments: str) -> str | None:
    # Without optional locks: a run that is killed here leaves none behind in the repository.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    return (
        subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None
    )

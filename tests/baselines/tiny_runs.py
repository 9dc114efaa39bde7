"""Runs of a moment, of whatever model."""

from __future__ import annotations

from pathlib import Path

from ntmbench.runs.folder import RunFolder
from tests.conftest import TINY

#: The settings of such a run but for those of its model.
REST = tuple(argument for argument in TINY if not argument.startswith("model"))


def only_run(folder: Path) -> RunFolder:
    """The one run that a command has left in a folder."""
    (path,) = (folder / "results" / "runs").iterdir()
    return RunFolder(path)

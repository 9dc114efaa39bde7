"""Searches by workers, started as processes, and what is left of their trials."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tests.conftest import TINY

#: A search of trials of a moment.
SEARCH = ("task=copy", *TINY[:1], *TINY[2:7], "search.name=found")


def started(
    *arguments: str, folder: Path, environment: Mapping[str, str], alone: bool = False
) -> subprocess.Popen[str]:
    """Start a command line of ``python -m ntmbench.search`` in a folder, with its output in a pipe.

    ``alone`` tells whether it is the first process of a session of its own.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "ntmbench.search", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=alone,
    )


def states(folder: Path) -> list[str]:
    """How the trials of a search ended, in their order."""
    return list(pd.read_csv(folder / "results" / "searches" / "found" / "trials.csv")["state"])


def claimed(said: str) -> list[int]:
    """The numbers of the trials that workers say they have run."""
    return sorted(int(number) for number in re.findall(r"worker \d+  trial (\d+): ", said))

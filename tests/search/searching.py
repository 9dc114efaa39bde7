"""A search of trials of a moment, and what workers say and leave of them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from tests.conftest import TINY

MODULE = "ntmbench.search"
SEARCH = ("task=copy", *TINY[:1], *TINY[2:7], "search.name=found")


def states(folder: Path) -> list[str]:
    """How the trials of the search ended, in their order."""
    return list(pd.read_csv(folder / "results" / "searches" / "found" / "trials.csv")["state"])


def checkpoints(folder: Path) -> list[Path]:
    """Those of the trials at work."""
    return list((folder / "results" / "searches" / "found" / "checkpoints").glob("*.pt"))


def claimed(said: str) -> list[int]:
    """The numbers of the trials that workers say they have run."""
    return sorted(int(number) for number in re.findall(r"worker \d+  trial (\d+): ", said))

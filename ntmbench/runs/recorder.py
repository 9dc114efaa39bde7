"""The observer that keeps a run's learning curve."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ntmbench.runs.folder import csv_bytes
from ntmbench.runs.results import METRICS_COLUMNS
from ntmbench.training.observer import CurvePoint, Observer


class Recorder(Observer):
    """Keeps ``metrics.csv``; it watches every run."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Take ``write``, which replaces the file, and the status with the time so far.

        A killed process cannot say how long it took.
        """
        self._write = write

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Write the curve."""
        self._write(curve_bytes(pd.DataFrame([vars(point) for point in curve])))


def curve_bytes(curve: pd.DataFrame) -> bytes:
    """The content of ``metrics.csv``."""
    return csv_bytes(curve[METRICS_COLUMNS])

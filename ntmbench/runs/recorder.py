"""The observer that keeps a run's files: metrics.csv and the status."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import METRICS_COLUMNS
from ntmbench.training.observer import CurvePoint, Observer


class Recorder(Observer):
    """Always watches: what it writes is the run's folder."""

    def __init__(self, folder: RunFolder, note: Callable[[], None]) -> None:
        """``note`` writes the status with the time so far."""
        self._folder = folder
        self._note = note

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Write the curve, and the status: a killed process cannot tell how long it took."""
        table = pd.DataFrame([vars(point) for point in curve])[METRICS_COLUMNS]
        self._folder.write_table(self._folder.metrics, table)
        self._note()

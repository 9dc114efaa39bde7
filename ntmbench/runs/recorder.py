"""The observer that keeps a run's files: metrics.csv and the status."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import METRICS_COLUMNS
from ntmbench.training.observer import CurvePoint, Observer


class Recorder(Observer):
    """Keeps the files of the run's folder; it watches every run."""

    def __init__(self, folder: RunFolder, note: Callable[[], None]) -> None:
        """Take ``note``, which writes the status with the time so far."""
        self._folder = folder
        self._note = note

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Write the curve, and the status, since a killed process cannot say how long it took."""
        table = pd.DataFrame([vars(point) for point in curve])[METRICS_COLUMNS]
        self._folder.write_table(self._folder.metrics, table)
        self._note()

"""The CSV tables of a run's folder: what their columns hold, in this version and earlier ones."""

from __future__ import annotations

#: Names of columns in the tables of earlier versions.
EARLIER_NAMES = {"wrong_bits": "errors", "chance_wrong_bits": "chance_errors"}
#: Columns that hold text; all others hold numbers.
TEXT_COLUMNS = ("variation", "against", "does", "phase")

"""Tables as CSV that a spreadsheet opens without running a cell."""

from __future__ import annotations

import pandas as pd

#: A cell that begins with one of these is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(table: pd.DataFrame) -> str:
    """A table as CSV; text that a spreadsheet would take for a formula has a ``'`` before it."""
    # Columns of numbers stay as they are: pandas 2 would make whole ones with gaps fractional.
    columns = {
        name: column if pd.api.types.is_numeric_dtype(column) else column.map(_harmless)
        for name, column in table.items()
    }
    return pd.DataFrame(columns, columns=table.columns, index=table.index).to_csv(index=False)


def _harmless(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(FORMULA) or len(value) == 1:
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value

"""The sizes that the kernels take."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """Sizes of one batch."""

    steps: int  # T
    batch: int  # B
    heads: int  # H
    cells: int  # S, of a head
    row: int  # L
    kept: int  # numbers from what is kept of a step to that of the next; 0 keeps the last step's

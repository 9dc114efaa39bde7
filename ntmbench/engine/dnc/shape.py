"""What a DNC is, apart from its weights."""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """Sizes, and the mends of Csordás and Schmidhuber that are on."""

    inputs: int
    outputs: int
    units: int  # of the controller, an LSTM of one layer
    slots: int  # N
    words: int  # W, numbers in a slot
    heads: int  # R, read heads
    masked: bool  # masked_lookup
    frees: bool  # erase_freed
    sharpens: bool  # sharpened_links

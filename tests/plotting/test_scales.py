"""Axes of lengths and of other counts."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from ntmbench.plotting.scales import scale_lengths


@pytest.mark.parametrize(
    ("lengths", "scale", "ticks"),
    [
        ((10, 20, 30), "linear", [10, 20, 30]),
        ((10, 20, 160), "log", [10, 20, 160]),
        ((0, 2, 16), "linear", [0, 2, 16]),  # no logarithm of nothing
        ((1, 100, 101), "log", [1, 100]),  # the last has no room
        ((5,), "linear", [5]),
    ],
)
def test_ticks_stand_at_the_lengths(lengths: tuple[int, ...], scale: str, ticks: list[int]) -> None:
    axes = Figure().subplots()
    scale_lengths(axes, lengths)
    assert axes.get_xscale() == scale
    assert list(axes.get_xticks()) == ticks

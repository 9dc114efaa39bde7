"""Axes of scores, lengths and sequences, on which the finite values can be told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ntmbench.plotting.style import MUTED, short_count

#: Below this score a logarithmic axis turns linear, so that it can show zero.
LINEAR_BELOW = 0.1
#: Stands for infinity, the score of what diverged: a line or a band up to here leaves the picture.
BEYOND = 1e9


def drawable(scores: pd.Series[float]) -> pd.Series[float]:
    """The scores with BEYOND for what is infinite or not a number, which would not be drawn."""
    return scores.astype(float).fillna(math.inf).clip(upper=BEYOND)


def scale_scores(axes: Axes, scores: Iterable[float]) -> None:
    """Give the y axis a scale on which the finite ``scores`` can be told apart.

    Logarithmic down to LINEAR_BELOW and linear below that where they span more than a factor of
    ten; linear otherwise. What is not finite has no say in it.
    """
    values = [score for score in scores if math.isfinite(score)] or [0.0, 1.0]
    low, high = min(values), max(values)
    if high == 0:
        axes.set_ylim(-0.02, 1)
        return
    if low * 10 > high:
        margin = max(0.1 * (high - low), 0.01 * high, 1e-9)
        axes.set_ylim(low - margin, high + margin)
        return
    top = max(high, 1.0)
    axes.set_yscale("symlog", linthresh=LINEAR_BELOW, linscale=0.6)
    ticks = [0.0, LINEAR_BELOW]
    while ticks[-1] * 10 <= top * 2:
        ticks.append(ticks[-1] * 10)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_ylim(-0.02, top * 2)


def scale_lengths(axes: Axes, lengths: Sequence[int]) -> None:
    """Put ticks at the test lengths, on a logarithmic axis where they span a factor of eight.

    Ticks that would run into the one before are left out. The axis ends near the lengths.
    """
    low, high = min(lengths), max(lengths)
    logarithmic = high >= 8 * low > 0
    if logarithmic:
        axes.set_xscale("log")
    ticks: list[int] = []
    for length in sorted(set(lengths)):
        if logarithmic:
            near = bool(ticks) and length < ticks[-1] * (high / low) ** 0.09
        else:
            near = bool(ticks) and length - ticks[-1] < (high - low) * 0.09
        if not near:
            ticks.append(length)
    margin = (high / low) ** 0.05 if logarithmic else max((high - low) * 0.05, 1)
    if logarithmic:
        axes.set_xlim(low / margin, high * margin)
    else:
        axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def shade_training(axes: Axes, lengths: tuple[int, int]) -> None:
    """Shade the range of training lengths; a range of one length gets a little breadth."""
    low, high = lengths
    breadth = 0.02 * low if low == high else 0
    axes.axvspan(
        low - breadth, high + breadth, color=MUTED, alpha=0.14, lw=0, label="training lengths"
    )


def shade_selection(axes: Axes, longest: int, selection: Sequence[int]) -> None:
    """Shade what lies between the longest training length and the longest of ``selection``."""
    if selection and max(selection) > longest:
        axes.axvspan(
            longest, max(selection), color=MUTED, alpha=0.06, lw=0, label="selection lengths"
        )


def along_training(axes: Axes, end: float) -> None:
    """An x axis of training sequences from 0 to ``end``, with its numbers as 10k, 1M."""
    axes.set_xlim(0, end)
    axes.set_xlabel("training sequences")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))

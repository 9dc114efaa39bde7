"""Lines to compare scores with: chance, the optimum, and the paper's results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle
from typing import Protocol

from matplotlib.axes import Axes

from ntmbench.plotting.style import (
    CHANCE_DASHES,
    MUTED,
    OPTIMUM_DASHES,
    PAPER,
    short_count,
)


class PaperCurve(Protocol):
    """Where a learning curve of the literature ends."""

    @property
    def model(self) -> str:
        """The paper's name of it."""

    @property
    def above_optimum(self) -> tuple[float, float] | None:
        """Loss bits above the optimum that it ends at, lowest and highest reading; None at zero."""

    @property
    def near_zero_by(self) -> int | None:
        """Training sequences after which it is near zero; None where it is not."""


@dataclass(frozen=True)
class Level:
    """A value to compare with, drawn as a labelled horizontal line, or a band from low to high."""

    label: str
    low: float
    high: float
    dashes: str | tuple[float, tuple[float, ...]]


def chance_level(value: float) -> Level:
    """What the best constant answer scores."""
    return Level("chance", value, value, CHANCE_DASHES)


def optimum_level(value: float) -> Level:
    """What the task's oracle scores, where that is not zero."""
    return Level("optimum", value, value, OPTIMUM_DASHES)


def paper_levels(results: Iterable[PaperCurve], optimum: float) -> list[Level]:
    """Where the paper's learning curves end, of those that do not end at the optimum."""
    dashes: tuple[tuple[float, tuple[float, ...]], ...] = ((0, (5, 1.5, 1, 1.5)), (0, (2, 1)))
    known = [(result, result.above_optimum) for result in results if result.above_optimum]
    return [
        Level(f"paper's {result.model}", optimum + low, optimum + high, dashes[place % len(dashes)])
        for place, (result, (low, high)) in enumerate(known)
    ]


def compare_with(
    chance: float, optimum: float, *, solvable: bool, paper: Iterable[PaperCurve] = ()
) -> list[Level]:
    """What to compare a score with; the optimum is left out where no mistake need be made."""
    levels = [chance_level(chance)]
    if not solvable:
        levels.append(optimum_level(optimum))
    return [*levels, *paper_levels(paper, optimum)]


def draw_levels(axes: Axes, levels: Iterable[Level]) -> None:
    """Draw lines to compare with, behind the data."""
    for level in levels:
        middle = (level.low + level.high) / 2
        axes.axhline(
            middle, color=MUTED, linestyle=level.dashes, linewidth=1.2, label=level.label, zorder=1
        )
        if level.low < level.high:
            axes.axhspan(level.low, level.high, color=MUTED, alpha=0.12, linewidth=0, zorder=1)


@dataclass(frozen=True)
class Moment:
    """A number of training sequences to compare with, drawn as a labelled vertical line."""

    label: str
    sequences: int


def paper_moments(results: Iterable[PaperCurve]) -> list[Moment]:
    """When the paper's learning curves are near zero, of those that come there."""
    return [
        Moment(
            f"paper's {result.model}: near zero by {short_count(result.near_zero_by)}",
            result.near_zero_by,
        )
        for result in results
        if result.near_zero_by is not None
    ]


def draw_moments(axes: Axes, moments: Iterable[Moment], end: float) -> None:
    """Draw thin vertical lines, and at the axis' ``end`` an arrowhead for each moment beyond it."""
    looks_of = zip(moments, cycle(("-", "--", ":")), cycle((MUTED, PAPER, "0.7")), strict=False)
    for place, (moment, dashes, face) in enumerate(looks_of):
        if moment.sequences <= end:
            axes.axvline(
                moment.sequences,
                color=MUTED,
                linestyle=dashes,
                lw=0.9,
                label=moment.label,
                zorder=1,
            )
        else:
            axes.plot(
                1,
                0.6 - 0.1 * place,
                marker=">",
                color=MUTED,
                markerfacecolor=face,
                linestyle="none",
                transform=axes.transAxes,
                clip_on=False,
                label=f"{moment.label} \N{RIGHTWARDS ARROW}",
                zorder=4,
            )

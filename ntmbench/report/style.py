"""The look of every figure: colour-blind safe, readable at half size, drawn without a display.

Figures are made by matplotlib's object interface: no global figure, no window, no backend to set.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, product

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ntmbench.report.reference import PaperResult

#: Below this many bits a logarithmic axis turns linear, so that it can show zero.
LINEAR_BELOW = 0.1

#: Of Okabe and Ito (2008), but for the yellow, which is too pale for a line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
DASHES = ("-", "--", "-.", ":")

#: Breadth of a legend's entry: about so much for each character, and for the line before them.
CHARACTER_INCHES = 0.08
HANDLE_INCHES = 0.65

#: Decorator of every function that draws.
styled = rc_context(
    {
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.labelsize": 11,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "figure.constrained_layout.use": True,
        "figure.dpi": 120,
        "figure.titlesize": 12,
        "font.size": 10,
        "grid.alpha": 0.25,
        "grid.linewidth": 0.6,
        "legend.fontsize": 9.5,
        "legend.framealpha": 0.85,
        "legend.handlelength": 2.6,
        "lines.linewidth": 1.8,
        "text.parse_math": False,  # a dollar in a setting is a dollar
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
    }
)


@dataclass(frozen=True)
class Look:
    """How the line of one model is drawn."""

    colour: str
    dashes: str
    width: float


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """A look for each label: colours first, then dashes; after 28 labels they come again.

    Each line is thinner than the one before, which is drawn below it: equal curves all stay seen.
    """
    choices = list(product(DASHES, COLOURS))
    last = max(len(labels) - 1, 1)
    return {
        label: Look(colour, dashes, 1.6 + min(2.8, 0.9 * last) * (1 - place / last))
        for place, (label, (dashes, colour)) in enumerate(zip(labels, cycle(choices), strict=False))
    }


@dataclass(frozen=True)
class Level:
    """A value to compare with, drawn as a labelled horizontal line, or a band from low to high."""

    label: str
    low: float
    high: float
    dashes: str | tuple[float, tuple[float, ...]]


def chance_level(value: float) -> Level:
    """What the best constant answer scores."""
    return Level("chance", value, value, (0, (6, 3)))


def optimum_level(value: float) -> Level:
    """What the task's oracle scores, where that is not zero."""
    return Level("optimum", value, value, (0, (1, 1)))


def paper_levels(results: Iterable[PaperResult], optimum: float) -> list[Level]:
    """Where the paper's learning curves end, of those that do not end at the optimum."""
    dashes: tuple[tuple[float, tuple[float, ...]], ...] = ((0, (5, 1.5, 1, 1.5)), (0, (2, 1)))
    known = [(result, result.above_optimum) for result in results if result.above_optimum]
    return [
        Level(f"paper's {result.model}", optimum + low, optimum + high, dashes[place % len(dashes)])
        for place, (result, (low, high)) in enumerate(known)
    ]


def draw_levels(axes: Axes, levels: Iterable[Level]) -> None:
    """Draw lines to compare with, behind the data."""
    for level in levels:
        middle = (level.low + level.high) / 2
        axes.axhline(
            middle, color="0.35", linestyle=level.dashes, linewidth=1.2, label=level.label, zorder=1
        )
        if level.low < level.high:
            axes.axhspan(level.low, level.high, color="0.35", alpha=0.12, linewidth=0, zorder=1)


@dataclass(frozen=True)
class Moment:
    """A number of training sequences to compare with, drawn as a labelled vertical line."""

    label: str
    sequences: int


def paper_moments(results: Iterable[PaperResult]) -> list[Moment]:
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
    looks_of = zip(moments, cycle(("-", "--", ":")), cycle(("0.35", "1", "0.7")), strict=False)
    for place, (moment, dashes, face) in enumerate(looks_of):
        label = wrapped(moment.label)
        if moment.sequences <= end:
            axes.axvline(
                moment.sequences, color="0.35", linestyle=dashes, lw=0.9, label=label, zorder=1
            )
        else:
            axes.plot(
                1,
                0.6 - 0.1 * place,
                marker=">",
                color="0.35",
                markerfacecolor=face,
                linestyle="none",
                transform=axes.transAxes,
                clip_on=False,
                label=f"{label} \N{RIGHTWARDS ARROW}",
                zorder=4,
            )


def scale_bits(axes: Axes, values: Sequence[float]) -> None:
    """Give the y axis a scale on which ``values`` (bits per sequence) can be told apart.

    Logarithmic down to LINEAR_BELOW and linear below that where they span more than a factor of
    ten; linear otherwise.
    """
    if not values or min(values) * 10 > max(values):
        axes.margins(y=0.12)
        return
    top = max(*values, 1.0)
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
    logarithmic = high >= 8 * low
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
        low - breadth, high + breadth, color="0.5", alpha=0.18, lw=0, label="training lengths"
    )


def legend_below(figure: Figure, handles_of: Sequence[Axes], *, columns: int) -> None:
    """One legend for all ``handles_of``, under the axes, where it hides no data.

    The figure is made so much higher. There are at most ``columns`` columns, and fewer where the
    longest label would not fit into one; labels that are longer than a line are to be wrapped.
    """
    entries = {}
    for axes in handles_of:
        handles, labels = axes.get_legend_handles_labels()
        entries.update(dict(zip(labels, handles, strict=True)))
    if not entries:
        return
    longest = max(len(line) for label in entries for line in label.split("\n"))
    fitting = int(figure.get_figwidth() / (HANDLE_INCHES + CHARACTER_INCHES * longest))
    columns = max(1, min(columns, fitting))
    lines = max(
        sum(label.count("\n") + 1 for label in column)
        for column in _columns_of(list(entries), columns)
    )
    figure.set_figheight(figure.get_figheight() + 0.15 + 0.2 * lines)
    figure.legend(
        entries.values(), entries.keys(), loc="outside lower left", ncols=columns, frameon=False
    )


def _columns_of(labels: list[str], columns: int) -> Iterator[list[str]]:
    """How matplotlib fills a legend's columns: one after the other, the first ones higher."""
    share, more = divmod(len(labels), columns)
    start = 0
    for column in range(min(columns, len(labels))):
        size = share + (column < more)
        yield labels[start : start + size]
        start += size


def thousands(axes: Axes) -> None:
    """Write the numbers of sequences on the x axis as 10k, 1M."""
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))


def short_count(value: float) -> str:
    """``12000 -> 12k``, ``1500000 -> 1.5M``."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if abs(value) >= 1e3 else f"{value:g}"


def wrapped(text: str, width: int = 46) -> str:
    """Break a long label of a legend."""
    return textwrap.fill(text, width)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()

"""The look of every figure: colour-blind safe, readable at half size, drawn without a display.

Figures are made by matplotlib's object interface: no global figure, no window, no backend to set.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, product

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

#: Below this many bits a logarithmic axis turns linear, so that it can show zero.
LINEAR_BELOW = 0.1

#: Of Okabe and Ito (2008), but for the yellow, which is too pale for a line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
DASHES = ("-", "--", "-.", ":")

#: Of text and axes, of what is compared with, and of the ground.
INK, MUTED, PAPER = "#1b1b1b", "#595959", "#ffffff"
#: Of what does not count.
SHADE = "#e6e6e6"

#: Decorator of every function that draws.
styled = rc_context(
    {
        "axes.axisbelow": True,
        "axes.edgecolor": INK,
        "axes.grid": True,
        "axes.labelcolor": INK,
        "axes.labelsize": 11,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "figure.constrained_layout.use": True,
        "figure.dpi": 120,
        "figure.titlesize": 12,
        "font.size": 10,
        "grid.alpha": 0.25,
        "grid.color": MUTED,
        "grid.linewidth": 0.6,
        "legend.fontsize": 9.5,
        "legend.framealpha": 0.85,
        "legend.handlelength": 2.6,
        "lines.linewidth": 1.8,
        "text.color": INK,
        "text.parse_math": False,  # a dollar in a setting is a dollar
        "xtick.color": INK,
        "xtick.labelsize": 10,
        "ytick.color": INK,
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
        low - breadth, high + breadth, color=MUTED, alpha=0.14, lw=0, label="training lengths"
    )


def shade_selection(axes: Axes, longest: int, selection: Sequence[int]) -> None:
    """Shade what lies between the longest training length and the longest of ``selection``."""
    if selection and max(selection) > longest:
        axes.axvspan(
            longest, max(selection), color=MUTED, alpha=0.06, lw=0, label="selection lengths"
        )


def plain_figure(width: float, height: float) -> Figure:
    """A figure of so many inches without a layout engine, for layouts that are known beforehand.

    It is drawn in half the time that a layout takes which measures all its text.
    """
    with rc_context({"figure.constrained_layout.use": False}):
        return Figure(figsize=(width, height))


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

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
from matplotlib.figure import Figure

Dashes = tuple[float, ...]

#: Of Okabe and Ito (2008), but for the yellow, which is too pale for a line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
#: Lengths of dashes and gaps, in widths of the line; nothing is a solid line.
DASHES: tuple[Dashes, ...] = ((), (4, 1.5), (4, 1.5, 1, 1.5), (1, 1))
#: The lines to compare with, for matplotlib: the offset, then dashes and gaps.
CHANCE_DASHES = (0, (6, 3))
OPTIMUM_DASHES = (0, (1, 1))

#: Of text and axes, of what is compared with, and of the ground.
INK, MUTED, PAPER = "#1b1b1b", "#595959", "#ffffff"
#: Of the ground of a wrong word.
WRONG = "#f4a582"
#: The hatching of what does not count.
HATCH = "#b8b8b8"

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
        "hatch.linewidth": 0.6,
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
    dashes: Dashes
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


def plain_figure(width: float, height: float) -> Figure:
    """A figure of so many inches without a layout engine, for layouts that are known beforehand.

    It is drawn in half the time that a layout takes which measures all its text.
    """
    with rc_context({"figure.constrained_layout.use": False}):
        return Figure(figsize=(width, height))


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

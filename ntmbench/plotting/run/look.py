"""The picture of a look into a model: where it errs, and where its heads were."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from ntmbench.plotting.scales import drawable
from ntmbench.plotting.style import COLOURS, MUTED, plain_figure, styled
from ntmbench.plotting.wording import errors as errors_of

#: What errors are drawn against, by the column ``against``: the label of its axis.
AGAINST = {
    "position": "step of the answer",
    "gap": "gap to the nearest other number",
    "duplicates": "other items of the same number",
}
#: The same in a word.
SHORT = {"position": "step", "gap": "gap", "duplicates": "duplicates"}
#: Means of fewer answers than this are not drawn.
LEAST_ANSWERS = 20
#: Panels in a row, and heads that are drawn.
COLUMNS, MOST_HEADS = 3, 6
#: What tells the rows of one head from others.
KEYS = ["length", "does", "head", "phase"]
#: Inches of a panel with its labels; above all of them for the title, and below for the legend.
PANEL, TOP, BOTTOM = (3.5, 2.8), 0.3, 0.3
#: Steps of a head that are drawn.
MOST_STEPS = 1500


@styled
def plot_look(
    errors: pd.DataFrame, heads: pd.DataFrame, places: pd.DataFrame, name: str, *, unit: str
) -> Figure:
    """Errors against position, gap and duplicates, and the slot of each head against the number.

    ``errors`` has the columns of ``look.csv``, ``heads`` those of ``heads.csv``, and ``places``
    those of ``ntmbench.evaluation.look.places``. Write heads are drawn while the input is shown,
    read heads in the answer, both at the least length, that of training. Slots are drawn against
    the position where nothing is put in order. ``name`` is the task's, ``unit`` its answer's.
    """
    shown = [
        against
        for against in AGAINST
        if worth_drawing(errors[errors["against"] == against], against)
    ]
    drawn = list(_heads(heads))[:MOST_HEADS]
    columns = max(len(shown), min(len(drawn), COLUMNS))
    rows = 1 + -(-len(drawn) // columns)
    figure = plain_figure(PANEL[0] * columns, PANEL[1] * rows + TOP + BOTTOM)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, against in zip(grid[0], shown, strict=False):
        draw_errors(axes, errors[errors["against"] == against], against, unit)
    of_heads = list(grid[1:].flat)
    for axes, head in zip(of_heads, drawn, strict=False):
        of_head = (places[KEYS] == head[KEYS]).all(axis=1)
        _draw_slots(axes, head, places[of_head])
    for axes in (*grid[0, len(shown) :], *of_heads[len(drawn) :]):
        axes.set_axis_off()
    _lay_out(figure)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower left", ncols=2, frameon=False)
    figure.suptitle(f"{name}, validation data", x=0.02, ha="left")
    return figure


def _lay_out(figure: Figure) -> None:
    """Leave room for labels of known size: a layout that measures them takes most of the time."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=0.7 / width,
        right=1 - 0.15 / width,
        bottom=(BOTTOM + 0.5) / height,
        top=1 - (TOP + 0.25) / height,
        wspace=0.36,
        hspace=0.42,
    )


def draw_errors(axes: Axes, errors: pd.DataFrame, against: str, unit: str) -> None:
    """Mean errors of an answer in each bin, a line for each length."""
    for colour, (length, of_length) in zip(COLOURS, errors.groupby("length"), strict=False):
        enough = of_length[of_length["answers"] >= LEAST_ANSWERS]
        if enough.empty:  # of a look at few sequences
            enough = of_length
        axes.plot(
            middles(enough, against),
            drawable(enough["errors"]),
            marker="o",
            markersize=4,
            color=colour,
            label=f"length {length:,}",
        )
    scale_against(axes, against)
    top = 1.1 * float(errors["errors"].max()) or 1.0
    axes.set_ylim(-0.03 * top, top)
    axes.set_ylabel(f"{errors_of(unit)} of an answer")


def worth_drawing(bins: pd.DataFrame, against: str) -> bool:
    """Whether there is more than one bin to compare; errors by position are always drawn."""
    return against == "position" or bins["low"].nunique() > 1


def middles(bins: pd.DataFrame, against: str) -> pd.Series[float]:
    """Where bins are drawn: gaps at the upper end of their power of two, steps from 1 on."""
    if against == "gap":
        return bins["high"]
    return bins["low"] if against == "duplicates" else (bins["low"] + bins["high"]) / 2 + 1


def _gap_text(gap: float) -> str:
    """``0.0625 -> 0.06``, ``1024 -> 1,024``, ``2**40 -> 1e+12``."""
    if gap < 1:
        return f"{gap:.1g}"
    return f"{gap:,.0f}" if gap < 1e6 else f"{gap:.0e}"


def scale_against(axes: Axes, against: str) -> None:
    """The x axis of what errors are drawn against."""
    axes.set_xlabel(AGAINST[against])
    if against == "gap":
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(LogLocator(base=2, numticks=7))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda gap, _: _gap_text(gap)))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _heads(heads: pd.DataFrame) -> Iterator[pd.Series]:
    """The rows of the heads that have slots: of writes in the input, of reads in the answer."""
    known = heads[(heads["length"] == heads["length"].min()) & heads["slots"].notna()]
    told = pd.Series({"write": "input", "read": "answer"})
    for _, head in known[known["phase"] == known["does"].map(told)].iterrows():
        yield head


def _draw_slots(axes: Axes, head: pd.Series, places: pd.DataFrame) -> None:
    """The slot at each step: against the key, or the position where there is none."""
    against = "key" if places["key"].notna().any() else "position"
    some = places.dropna(subset=against).iloc[:MOST_STEPS]
    along = some["key"] if against == "key" else some["position"] + 1
    axes.scatter(along, some["slot"], s=5, color=COLOURS[0], alpha=0.35, lw=0)
    explained = head["by_key" if against == "key" else "by_position"]
    by = "number" if against == "key" else "step"
    told = "" if pd.isna(explained) else f", {explained:.0%} by {by}"
    axes.set_title(
        f"{head['does']} head {head['head']}: {head['slots_in_use']:.0f} slots{told}",
        fontsize=9.5,
        color=MUTED,
    )
    asked = "shown" if head["phase"] == "input" else "asked for"
    phase = {"input": "step of the input", "answer": "step of the answer"}[head["phase"]]
    axes.set_xlabel(f"number of the item {asked}" if against == "key" else phase)
    axes.set_ylabel("slot")
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=against == "position"))

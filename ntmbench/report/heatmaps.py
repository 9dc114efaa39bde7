"""Heat maps of one sequence over its steps: channels, and what heads do to a memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from ntmbench.report.style import INK, SHADE

FloatArray = NDArray[np.floating[Any]]

#: A slot is shown if any head ever puts more weight than this on it.
USED_WEIGHT = 0.05

#: Probabilities, and weightings: from 0 to 1.
SEQUENTIAL = "cividis"
#: Numbers of either sign, white at zero.
DIVERGING = "RdBu_r"
#: Errors: white where there is none.
ERROR = "Reds"
#: Crosses on SEQUENTIAL.
FAULT = "#ff2a2a"


def used_slots(weightings: FloatArray, above: float = USED_WEIGHT) -> NDArray[np.int64]:
    """The shortest run of slots that holds all used ones, going round the end of the memory.

    ``weightings [T, heads, N]``. A slot next to either side is added; all slots are returned where
    none is used, or all are.
    """
    count = weightings.shape[2]
    used = np.flatnonzero(weightings.max(axis=(0, 1)) > above)
    if len(used) == 0:
        return np.arange(count)
    # The widest gap between neighbours on the circle is what is left out.
    gaps = np.diff(np.append(used, used[0] + count))
    first = used[(gaps.argmax() + 1) % len(used)]
    width = count - gaps.max() + 1
    if width + 2 >= count:
        return np.arange(count)
    shown: NDArray[np.int64] = np.arange(first - 1, first + width + 1) % count
    return shown


def where_scored(scored: NDArray[np.bool_], values: FloatArray) -> FloatArray:
    """``values [T, out]`` with NaN, which is drawn as nothing, at steps that are not scored."""
    return np.where(scored[:, np.newaxis], values, np.nan)


def colours_of(values: FloatArray) -> tuple[str, float, float]:
    """Colours for channels that hold bits, and perhaps numbers of either sign beside them."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low < 0:
        largest = max(-low, high)
        return DIVERGING, -largest, largest
    return SEQUENTIAL, 0.0, max(high, 1.0)


def panel_height(channels: int) -> float:
    """Inches for a picture of so many channels."""
    return float(np.clip(0.12 * channels, 0.45, 2.5))


def heads_height(values: FloatArray) -> float:
    """Inches for ``values [T, heads, width]`` with the heads below one another."""
    return float(np.clip(0.07 * values.shape[1] * values.shape[2], 1.2, 4.0))


def draw_scaled(
    figure: Figure, axes: Axes, values: FloatArray, colours: tuple[str, float, float]
) -> None:
    """Draw ``values [T, channels]`` with the scale of their colours beside them."""
    image = draw_panel(axes, values, colours)
    _, low, high = colours
    figure.colorbar(image, ax=axes, ticks=sorted({low, 0.0, high}), pad=0.01, format="%.3g")


def draw_panel(axes: Axes, values: FloatArray, colours: tuple[str, float, float]) -> AxesImage:
    """Draw ``values [T, channels]``: steps to the right, channels upwards."""
    colour_map, low, high = colours
    image = axes.imshow(
        values.T,
        aspect="auto",
        origin="lower",
        interpolation="none",
        cmap=colour_map,
        vmin=low,
        vmax=high,
    )
    axes.set_facecolor(SHADE)
    axes.grid(visible=False)
    channels = values.shape[1]
    axes.yaxis.set_major_locator(FixedLocator(range(0, channels, -(-channels // 5))))
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    return image


def draw_heads(
    figure: Figure,
    axes: Axes,
    values: FloatArray,
    colours: tuple[str, float, float],
    rows: NDArray[np.int64],
    name: str,
) -> None:
    """Draw ``values [T, heads, width]``, the first head on top.

    The ticks of a single head tell the numbers ``rows`` of what is called ``name``, those of
    several tell the heads.
    """
    steps, heads, width = values.shape
    upwards = values[:, ::-1].reshape(steps, heads * width)
    draw_scaled(figure, axes, upwards, colours)
    if heads == 1:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda place, _: str(rows[int(place)])))
        axes.set_ylabel(name)
        return
    for head in range(1, heads):
        axes.axhline(head * width - 0.5, color="0.6", linewidth=1)
    middles = [(heads - 1 - head) * width + (width - 1) / 2 for head in range(heads)]
    axes.yaxis.set_major_locator(FixedLocator(middles))
    axes.yaxis.set_major_formatter(FixedFormatter([str(head + 1) for head in range(heads)]))
    axes.set_ylabel(f"head ({name}s)")


def mark_answer(axes: Axes, answer_start: int) -> None:
    """Draw where the answer begins, if there is an input phase before it."""
    if answer_start > 0:
        axes.axvline(answer_start - 0.5, color=INK, linewidth=1, linestyle=(0, (3, 2)))

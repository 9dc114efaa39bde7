"""What a heat map over the steps of one sequence shows, as data. Nothing is drawn here.

A model describes its memory by panels, and an answer becomes panels too, so that all of them are
drawn by the same function: ``ntmbench.plotting.sheet.draw_panels``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

#: ``unit``: from 0 to 1. ``weights``: the same, over places of which only the used ones are shown.
#: ``signed``: of either sign, white at zero. ``error``: from 0 upwards, white at zero.
#: ``words``: texts are written into the cells, of which those at 1 are wrong.
Scale = Literal["unit", "weights", "signed", "error", "words"]

#: A place is used if any step ever puts more weight than this on it.
USED_WEIGHT = 0.05


@dataclass(frozen=True)
class Panel:
    """Values over T steps, drawn as a heat map: steps to the right, rows upwards.

    Attributes:
        title: what the values are.
        rows: what a row is, in the singular ("slot"); nothing leaves the rows without numbers.
        values: ``[T, K]``, or ``[T, G, K]`` for G groups of K rows, the first on top. NaN marks
            what does not count.
        scale: how values become colours.
        limit: where the scale ends. By default 1, and for signed values the largest size.
        names: what the K rows are called; by default their numbers.
        group: what a group is, in the singular.
        circular: whether the last row is next to the first.
        crosses: ``[T, K]``, where a cross is drawn.
        texts: ``[T, K]``, what is written into each cell.
    """

    title: str
    rows: str
    values: FloatArray
    scale: Scale
    limit: float | None = None
    names: tuple[str, ...] = ()
    group: str = "head"
    circular: bool = False
    crosses: NDArray[np.bool_] | None = None
    texts: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            ValueError: if they do not fit together, or the scale is not one.
        """
        if self.scale not in get_args(Scale):
            allowed = ", ".join(get_args(Scale))
            raise ValueError(f"Panel {self.title!r}: scale={self.scale!r}. Allowed: {allowed}.")
        if self.values.ndim not in (2, 3):
            raise ValueError(
                f"Panel {self.title!r}: values of shape {self.values.shape}. "
                "Allowed: [T, K] or [T, G, K]."
            )
        if self.names and len(self.names) != self.values.shape[-1]:
            raise ValueError(
                f"Panel {self.title!r}: {len(self.names)} names for {self.values.shape[-1]} rows."
            )
        for marks in (self.crosses, self.texts):
            if marks is not None and marks.shape != self.values.shape:
                raise ValueError(
                    f"Panel {self.title!r}: marks of shape {marks.shape} on values of shape "
                    f"{self.values.shape}."
                )

    @property
    def groups(self) -> FloatArray:
        """The values as ``[T, G, K]``."""
        return self.values if self.values.ndim == 3 else self.values[:, np.newaxis]

    @property
    def row_names(self) -> tuple[str, ...]:
        """The names of the K rows."""
        return self.names or tuple(str(row) for row in range(self.values.shape[-1]))

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value of the scale."""
        if self.scale != "signed":
            return 0.0, 1.0 if self.limit is None else self.limit
        finite = np.abs(self.values[np.isfinite(self.values)])
        largest = max(float(finite.max(initial=0)), 1e-6) if self.limit is None else self.limit
        return -largest, largest


def used_rows(
    weights: FloatArray, *, circular: bool, above: float = USED_WEIGHT
) -> NDArray[np.int64]:
    """The shortest piece of the rows that holds all used ones.

    ``weights [T, G, K]``; a ``circular`` piece may go round the end. A row next to either side is
    added. All rows are returned where none is used, or all are.
    """
    count = weights.shape[2]
    used = np.flatnonzero(weights.max(axis=(0, 1)) > above)
    if len(used) == 0:
        return np.arange(count)
    if not circular:
        return np.arange(max(0, used[0] - 1), min(count, used[-1] + 2))
    # The widest gap between neighbours on the circle is what is left out.
    gaps = np.diff(np.append(used, used[0] + count))
    first = used[(gaps.argmax() + 1) % len(used)]
    width = count - gaps.max() + 1
    if width + 2 >= count:
        return np.arange(count)
    shown: NDArray[np.int64] = np.arange(first - 1, first + width + 1) % count
    return shown


def without_unused(panels: Sequence[Panel]) -> tuple[list[Panel], list[str]]:
    """The panels with only the used rows of weights, and for each kind of rows what is left.

    Panels of weights over the same rows are shown with the same rows.
    """
    weights: dict[tuple[str, int], list[Panel]] = {}
    for panel in panels:
        if panel.scale == "weights":
            weights.setdefault((panel.rows, panel.values.shape[-1]), []).append(panel)
    shown, notes = {}, []
    for (rows, count), alike in weights.items():
        together = np.concatenate([panel.groups for panel in alike], axis=1)
        kept = used_rows(together, circular=alike[0].circular)
        shown[rows, count] = kept
        if len(kept) < count:
            notes.append(f"{len(kept)} of {count:,} {rows}s shown (weight above {USED_WEIGHT})")
    return [
        _of_rows(panel, shown[panel.rows, panel.values.shape[-1]])
        if panel.scale == "weights"
        else panel
        for panel in panels
    ], notes


def _of_rows(panel: Panel, rows: NDArray[np.int64]) -> Panel:
    """The panel with some of its rows."""
    return replace(
        panel,
        values=panel.values[..., rows],
        names=tuple(panel.row_names[row] for row in rows),
        crosses=None if panel.crosses is None else panel.crosses[..., rows],
        texts=None if panel.texts is None else panel.texts[..., rows],
    )


#: The fields of a panel that are stored as text. Crosses and texts are not stored.
STORED = ("title", "rows", "scale", "limit", "names", "group", "circular")


def pack_panels(panels: Sequence[Panel]) -> dict[str, NDArray[Any]]:
    """The panels as arrays that ``numpy.savez`` stores without pickling, values as float16.

    ``panels`` holds what they are, as JSON; ``panel_0``, ``panel_1`` and so on their values.
    """
    told = [{name: getattr(panel, name) for name in STORED} for panel in panels]
    arrays: dict[str, NDArray[Any]] = {"panels": np.array(json.dumps(told))}
    for place, panel in enumerate(panels):
        arrays[f"panel_{place}"] = panel.values.astype(np.float16)
    return arrays


def unpack_panels(arrays: Mapping[str, NDArray[Any]]) -> list[Panel]:
    """The panels that ``pack_panels`` made arrays of.

    Raises:
        KeyError, TypeError, ValueError: if the arrays are not such.
    """
    return [
        Panel(
            **{**told, "names": tuple(told["names"])},
            values=arrays[f"panel_{place}"].astype(np.float32),
        )
        for place, told in enumerate(json.loads(str(arrays["panels"])))
    ]

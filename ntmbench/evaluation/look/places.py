"""Where the heads of a memory were at each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntmbench.evaluation.look.answers import keys_of_answers
from ntmbench.task import Batch, Task
from ntmbench.trace import Trace

FloatArray = NDArray[np.float64]

COLUMNS = [
    *("sequence", "does", "head", "phase", "position", "key"),
    *("slot", "slots", "circular", "largest", "on_item", "on_any_item"),
    "delay",
]
#: Steps from where an item is shown to where it is taken to be written.
DELAYS = (0, 1, -1)


def places_table(task: Task, batch: Batch, trace: Trace) -> pd.DataFrame:
    """A row for each head, sequence and step.

    Only scored steps count in the answer, and in the input only those that show an item, if the
    task puts items in order: where a head is at a delimiter says nothing of them.

    The columns are ``sequence``; ``does``: read or write; ``head``; ``phase``: input or answer;
    ``position`` in the phase, from 0; ``key``, the number by which the item shown or asked for is
    put in order; ``slot``, where the weighting is largest, of so many ``slots``, which may be
    ``circular``; the ``largest`` weight. For reads in the answer there are also ``on_item``, the
    weight on the slot that was written when the item asked for was shown, and ``on_any_item``, the
    mean of this weight over all items that were shown. A model may keep an item a step later, or
    look for it a step earlier: the slot is that of ``delay`` steps after the item, and of the write
    head and the delay for which the two weights differ most. A memory whose trace tells only
    provenance has no slots.
    """
    heads = list(_heads(task, batch, trace))
    if not heads:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat([_rows(task, batch, head) for head in heads], ignore_index=True)


@dataclass(frozen=True)
class _Head:
    """One head: each array is ``[T, B]``."""

    does: str
    number: int
    slot: FloatArray
    largest: FloatArray
    on_item: FloatArray
    on_any_item: FloatArray
    slots: int = 0
    circular: bool = False
    delay: float = np.nan


def _heads(task: Task, batch: Batch, trace: Trace) -> Iterator[_Head]:
    shown = _shown_in_input(task, batch)
    unknown = np.full(batch.mask.shape, np.nan)
    if not trace.addressing:
        if shown is not None and trace.provenance is not None:
            shares = trace.provenance.cpu().numpy()  # [T, B, T]
            yield _Head("read", 0, unknown, unknown, *_on_items(shares, shown))
        return
    weights = {of: trace[of.signal].cpu().numpy() for of in trace.addressing}  # [T, B, H, N]
    written = [
        (_delayed(weighting.argmax(axis=2), delay), delay)
        for of, array in weights.items()
        if of.does == "write"
        for weighting in np.moveaxis(array, 2, 0)
        for delay in DELAYS
    ]
    for of, array in weights.items():
        for number, weighting in enumerate(np.moveaxis(array, 2, 0)):  # [T, B, N]
            on_item, on_any_item, delay = unknown, unknown, np.nan
            if of.does == "read" and shown is not None and written:
                on_item, on_any_item, delay = max(
                    ((*_on_slots(weighting, shown, slot), after) for slot, after in written),
                    key=lambda on: _lift(on[0] - on[1]),
                )
            yield _Head(
                of.does,
                number,
                weighting.argmax(axis=2).astype(float),
                weighting.max(axis=2),
                on_item,
                on_any_item,
                array.shape[3],
                of.circular,
                delay,
            )


def _lift(above: FloatArray) -> float:
    """The mean of what is known."""
    known = above[~np.isnan(above)]
    return float(known.mean()) if len(known) else -np.inf


def _delayed(steps: NDArray[np.int64], delay: int) -> NDArray[np.int64]:
    """What ``steps [T, B]`` hold so many steps later; the ends hold on."""
    last = len(steps) - 1
    return steps[np.clip(np.arange(len(steps)) + delay, 0, last)]


def _shown_in_input(task: Task, batch: Batch) -> NDArray[np.bool_] | None:
    """``shown_at``, without steps of the answer itself; None if none is left."""
    shown = task.shown_at(batch.inputs)
    if shown is None:
        return None
    shown = shown.copy()
    shown[:, :, batch.answer_start :] = False
    return shown if shown.any() else None


def _on_items(
    shares: NDArray[np.floating], shown: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Of ``shares [T, B, T]`` of each step's writing: the items asked for, and any item's mean."""
    asked, items = _asked_and_items(shown)
    on_item = (shares * shown).sum(axis=2)
    each = shown.sum(axis=2)
    on_any = (shares * items).sum(axis=2) / np.maximum(items.sum(axis=1), 1) * each
    return np.where(asked, on_item, np.nan), np.where(asked, on_any, np.nan)


def _on_slots(
    weighting: NDArray[np.floating], shown: NDArray[np.bool_], written: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """The same of a read ``weighting [T, B, N]`` on the slots ``written [T, B]`` at each step."""
    wrote = np.eye(weighting.shape[2], dtype=np.float32)[written.T]  # [B, T, N]
    read = np.moveaxis(weighting, 0, 1)  # [B, T, N]
    of_item = np.moveaxis(shown, 0, 1).astype(np.float32) @ wrote > 0  # [B, T, N]
    asked, items = _asked_and_items(shown)
    on_item = (read * of_item).sum(axis=2).T
    of_any = (items[:, np.newaxis].astype(np.float32) @ wrote)[:, 0]  # [B, N]
    on_any = (read @ of_any[:, :, np.newaxis])[:, :, 0].T / np.maximum(items.sum(axis=1), 1)
    return np.where(asked, on_item, np.nan), np.where(asked, on_any, np.nan)


def _asked_and_items(shown: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """At which steps ``[T, B]`` an item is asked for, and which steps ``[B, T]`` show one."""
    return np.any(shown, axis=2), np.any(shown, axis=0)


def _rows(task: Task, batch: Batch, head: _Head) -> pd.DataFrame:
    steps, sequences = batch.mask.shape
    keys = task.ordered_by(batch.inputs)
    in_answer = np.arange(steps)[:, np.newaxis] >= batch.answer_start
    shown = np.full((steps, sequences), np.nan) if keys is None else keys
    key = np.where(in_answer, keys_of_answers(task, batch), shown)
    counted = np.where(in_answer, batch.mask == 1, (keys is None) | ~np.isnan(shown))  # [T, B]
    step, sequence = np.nonzero(counted)
    answering = step >= batch.answer_start
    arrays = {
        "key": key,
        "slot": head.slot,
        "largest": head.largest,
        "on_item": head.on_item,
        "on_any_item": head.on_any_item,
    }
    rows = pd.DataFrame(
        {
            "sequence": sequence,
            "does": head.does,
            "head": head.number,
            "phase": np.where(answering, "answer", "input"),
            "position": np.where(answering, step - batch.answer_start, step),
            **{name: array[step, sequence].astype(float) for name, array in arrays.items()},
            "slots": head.slots,
            "circular": head.circular,
            "delay": head.delay,
        }
    )
    return rows[COLUMNS]

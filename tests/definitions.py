"""The definition of each task in plain Python: from a sequence's input rows to its answer's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

Rows = list[list[float]]


def copied(rows: Rows, bits: int) -> Rows:
    before = [row[bits] for row in rows].index(1)
    return [row[:bits] for row in rows[:before]]


def repeated(rows: Rows, bits: int, min_repeats: int, max_repeats: int, most: int) -> Rows:
    before = [row[bits] for row in rows].index(1)
    counts = np.arange(min_repeats, max_repeats + 1)
    deviation = counts.std() if len(counts) > 1 else 1.0
    scaled = [(count - counts.mean()) / deviation for count in range(most + 1)]
    repeats = int(np.abs(np.array(scaled) - rows[before][bits + 1]).argmin())
    vectors = [[*row[:bits], 0.0] for row in rows[:before]]
    return [*vectors * repeats, [0.0] * bits + [1.0]]


def recalled(rows: Rows, bits: int) -> Rows:
    items: list[Rows] = []
    query: Rows = []
    queries = 0
    for row in rows:
        if row[bits + 1]:
            queries += 1
        elif queries == 1:
            query.append(row[:bits])
        elif row[bits]:
            items.append([])
        elif queries == 0:
            items[-1].append(row[:bits])
    asked = items.index(query)
    assert asked < len(items) - 1, "the last item was asked for"
    return items[asked + 1]


def in_ascending_order(rows: Rows, bits: int) -> Rows:
    vectors = copied(rows, bits)
    return sorted(vectors, key=lambda row: int("".join(str(int(bit)) for bit in row), 2))


def by_priority(rows: Rows, bits: int, answers: int) -> Rows:
    before = [row[bits + 1] for row in rows].index(1)
    ordered = sorted(rows[:before], key=lambda row: -row[bits])
    return [row[:bits] for row in ordered[:answers]]


def predicted(rows: Rows, context: int) -> Rows:
    """The optimal estimate for each step from the first whole context on."""
    bits = [int(row[0]) for row in rows]
    seen: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    estimates = []
    for step in range(context - 1, len(bits)):
        counts = seen[tuple(bits[step + 1 - context : step + 1])]
        estimates.append([(counts[1] + 0.5) / (counts[0] + counts[1] + 1)])
        if step + 1 < len(bits):
            counts[bits[step + 1]] += 1
    return estimates


def looked_up(rows: Rows, keys: int) -> Rows:
    """The value that followed each queried key, one-hot; a value's row has no key."""
    values: dict[int, list[float]] = {}
    answers: Rows = []
    shown = 2 * len(rows) // 3
    for step, row in enumerate(rows):
        if step >= shown:
            answers.append(values[row.index(1)])
        elif step % 2:
            values[rows[step - 1].index(1)] = row[keys:]
    return answers


DEFINITIONS: dict[str, Callable[[Rows, Any], Rows]] = {
    "copy": lambda rows, task: copied(rows, task.bits),
    "repeat_copy": lambda rows, task: repeated(
        rows,
        task.bits,
        task.min_repeats,
        task.max_repeats,
        max(task.max_repeats, task.test_repeats),
    ),
    "key_value": lambda rows, task: looked_up(rows, task.keys),
    "recall": lambda rows, task: recalled(rows, task.bits),
    "ngrams": lambda rows, task: predicted(rows, task.context),
    "sorting": lambda rows, task: in_ascending_order(rows, task.bits),
    "priority_sort": lambda rows, task: by_priority(rows, task.bits, task.answers),
}

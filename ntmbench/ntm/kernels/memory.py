"""Reading and writing the memory of one sequence, forward and backward.

A memory is ``[M, N]``: one row of slots for each word, so that vectors run over slots.
"""

from __future__ import annotations

from typing import Any

from .jit import compiled
from .layout import Layout, Scratch
from .matmul import multiply
from .simd import load, splat, store, total


@compiled
def read(n: Layout, kept: Any, weighting: int, scratch: Any, memory: int, target: int) -> None:
    """Eq. (2): what the read heads, whose weightings come first, read; ``[R, M]`` in ``kept``."""
    for head in range(n.reads):
        row = weighting + head * n.slot_row
        word = 0
        # Four words at a time share the loads of the weighting and hide each other's latency.
        while word + 4 <= n.words:
            at = memory + word * n.slot_row
            a, b, c, d = (splat(kept, 0.0), splat(kept, 0.0), splat(kept, 0.0), splat(kept, 0.0))
            for slot in range(0, n.slot_row, n.lanes):
                weight = load(kept, row + slot)
                a = a + weight * load(scratch, at + slot)
                b = b + weight * load(scratch, at + n.slot_row + slot)
                c = c + weight * load(scratch, at + 2 * n.slot_row + slot)
                d = d + weight * load(scratch, at + 3 * n.slot_row + slot)
            kept[target + head * n.words + word] = total(a)
            kept[target + head * n.words + word + 1] = total(b)
            kept[target + head * n.words + word + 2] = total(c)
            kept[target + head * n.words + word + 3] = total(d)
            word += 4
        while word < n.words:
            at = memory + word * n.slot_row
            a = splat(kept, 0.0)
            for slot in range(0, n.slot_row, n.lanes):
                a = a + load(kept, row + slot) * load(scratch, at + slot)
            kept[target + head * n.words + word] = total(a)
            word += 1


@compiled
def write(
    n: Layout, kept: Any, numbers: int, weighting: int, scratch: Any, memory: int, target: int
) -> None:
    """Eqs. (3) and (4): erase and add, from the memory to a target that may be the same place."""
    one = splat(kept, 1.0)
    first = weighting + n.reads * n.slot_row
    for word in range(n.words):
        row = word * n.slot_row
        erase = numbers + n.erase + word
        add = numbers + n.add + word
        if n.writes == 1:
            erases, adds = splat(kept, kept[erase]), splat(kept, kept[add])
            for slot in range(0, n.slot_row, n.lanes):
                weight = load(kept, first + slot)
                value = load(scratch, memory + row + slot)
                store(scratch, target + row + slot, value + weight * (adds - erases * value))
        else:
            for slot in range(0, n.slot_row, n.lanes):
                left = one
                added = splat(kept, 0.0)
                for head in range(n.writes):
                    weight = load(kept, first + head * n.slot_row + slot)
                    left = left * (one - weight * splat(kept, kept[erase + head * n.words]))
                    added = added + weight * splat(kept, kept[add + head * n.words])
                value = load(scratch, memory + row + slot)
                store(scratch, target + row + slot, value * left + added)


@compiled
def read_backward(n: Layout, scratch: Any, memory: int, d_reads: int, d_weightings: int) -> None:
    """Add the read weightings' gradients, from those of what was read."""
    multiply(
        scratch, d_reads, n.words, 1,
        scratch, memory, n.lanes, n.slot_row,
        scratch, d_weightings, n.slot_row,
        n.reads, n.slot_row // n.lanes, n.words, True,
    )  # fmt: skip


@compiled
def write_backward(
    n: Layout, s: Scratch, kept: Any, numbers: int, weighting: int, scratch: Any, memory: int,
    d_memory: int, d_reads: int, d_weightings: int,
) -> None:  # fmt: skip
    """The gradient of a step's memory back to the one before it, the reads' share included.

    Adds the write weightings' gradients, and replaces the erases and adds in ``kept`` by the
    gradients of the controller's outputs for them.
    """
    one = splat(kept, 1.0)
    first = n.reads * n.slot_row
    for word in range(n.words):
        row = word * n.slot_row
        erase = numbers + n.erase + word
        add = numbers + n.add + word
        if n.writes == 1:
            erases, adds = splat(kept, kept[erase]), splat(kept, kept[add])
            d_erase, d_add = splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, n.slot_row, n.lanes):
                weight = load(kept, weighting + first + slot)
                slope = load(scratch, d_memory + row + slot)
                product = slope * load(scratch, memory + row + slot)
                d_add = d_add + slope * weight
                d_erase = d_erase + product * weight
                d_weight = load(scratch, d_weightings + first + slot)
                d_weight = d_weight + slope * adds - product * erases
                store(scratch, d_weightings + first + slot, d_weight)
                store(scratch, d_memory + row + slot, slope - slope * weight * erases)
            _replace(kept, erase, add, -total(d_erase), total(d_add))
        else:
            for head in range(2 * n.writes):
                store(scratch, s.write_sums + head * n.lanes, splat(kept, 0.0))
            for slot in range(0, n.slot_row, n.lanes):
                slope = load(scratch, d_memory + row + slot)
                product = slope * load(scratch, memory + row + slot)
                # What the heads before and the heads after one leave of the memory.
                left = one
                for head in range(n.writes):
                    store(scratch, s.write_before + head * n.lanes, left)
                    weight = load(kept, weighting + first + head * n.slot_row + slot)
                    left = left * (one - weight * splat(kept, kept[erase + head * n.words]))
                store(scratch, d_memory + row + slot, slope * left)
                after = product
                for head in range(n.writes - 1, -1, -1):
                    at = first + head * n.slot_row + slot
                    weight = load(kept, weighting + at)
                    erases = splat(kept, kept[erase + head * n.words])
                    adds = splat(kept, kept[add + head * n.words])
                    others = after * load(scratch, s.write_before + head * n.lanes)
                    after = after * (one - weight * erases)
                    d_weight = load(scratch, d_weightings + at) + slope * adds - others * erases
                    store(scratch, d_weightings + at, d_weight)
                    at = s.write_sums + 2 * head * n.lanes
                    store(scratch, at, load(scratch, at) + others * weight)
                    at += n.lanes
                    store(scratch, at, load(scratch, at) + slope * weight)
            for head in range(n.writes):
                at = s.write_sums + 2 * head * n.lanes
                d_erase, d_add = load(scratch, at), load(scratch, at + n.lanes)
                away = head * n.words
                _replace(kept, erase + away, add + away, -total(d_erase), total(d_add))
    for head in range(n.reads):
        for word in range(n.words):
            row = word * n.slot_row
            d_read = splat(kept, scratch[d_reads + head * n.words + word])
            for slot in range(0, n.slot_row, n.lanes):
                weight = load(kept, weighting + head * n.slot_row + slot)
                slope = load(scratch, d_memory + row + slot)
                store(scratch, d_memory + row + slot, slope + weight * d_read)


@compiled
def _replace(kept: Any, erase: int, add: int, d_erase: Any, d_add: Any) -> None:
    kept[erase] = d_erase * kept[erase] * (1 - kept[erase])
    kept[add] = d_add * (1 - kept[add] * kept[add])


@compiled
def content_backward(
    n: Layout, s: Scratch, kept: Any, numbers: int, scratch: Any, memory: int, d_memory: int
) -> None:
    """Similarities' gradients back to the memory, and to the keys, which are replaced in ``kept``.

    Uses ``d_dots``, ``d_norms`` and ``key_pull`` in scratch.
    """
    for word in range(n.words):
        row = word * n.slot_row
        for head in range(n.heads):
            at = numbers + head * n.words + word
            key = splat(kept, kept[at])
            sums = splat(kept, 0.0)
            dots = s.d_dots + head * n.slot_row
            for slot in range(0, n.slot_row, n.lanes):
                d_dot = load(scratch, dots + slot)
                value = load(scratch, memory + row + slot)
                slope = load(scratch, d_memory + row + slot) + d_dot * key
                if head == 0:
                    slope = slope - load(scratch, s.d_norms + slot) * value
                store(scratch, d_memory + row + slot, slope)
                sums = sums + d_dot * value
            d_key = total(sums) - scratch[s.key_pull + head] * kept[at]
            kept[at] = d_key * (1 - kept[at] * kept[at])

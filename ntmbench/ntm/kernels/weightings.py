"""Addressing of one head of one sequence, forward and backward.

The scratch arrays are as long as a padded row of slots. ``ring`` arrays hold the slots as a circle:
slot n is at ``n + S // 2``, and copies of the other end stand before the first and after the last.
"""

from __future__ import annotations

import math
from typing import Any

from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_splat, store
from ntmbench.engine.matmul import multiply
from ntmbench.engine.rows import dot
from ntmbench.engine.simd import (
    add_product,
    first,
    inverse_root,
    lanes,
    largest,
    maximum,
    splat,
    total,
    where_at_least,
)
from ntmbench.engine.vectormath import exp, log
from ntmbench.ntm.limits import SQUARED_NORM_FLOOR, WEIGHT_FLOOR

from .layout import Layout, Scratch

_LOWEST = -math.inf
_FLOOR = WEIGHT_FLOOR
_NORM_FLOOR = SQUARED_NORM_FLOOR


@compiled
def inverse_norms(n: Layout, memory: Any, start: int, norms: Any, at: int) -> None:
    """1 / sqrt(|row|^2 + floor) of what is compared in every slot of a memory ``[M, N]``."""
    floor = splat(memory, _NORM_FLOOR)
    for slot in range(0, n.slot_row, lanes(memory)):
        sums = floor
        for word in range(n.key_words):
            value = load(memory, start + word * n.slot_row + slot)
            sums = add_product(sums, value, value)
        store(norms, at + slot, inverse_root(sums))


@compiled
def inverse_key_norm(n: Layout, kept: Any, key: int) -> Any:
    """1 / sqrt(|key|^2 + floor)."""
    return 1 / math.sqrt(dot(kept, key, kept, key, n.key_words) + _NORM_FLOOR)


@compiled
def similarities(
    n: Layout,
    kept: Any,
    keys: int,
    similarity: int,
    scratch: Any,
    memory: int,
    norms: int,
) -> None:
    """Cosine similarity ``[H, N]`` of the keys ``[H, K]`` and the rows, eq. (6)."""
    multiply(
        kept, keys, n.key_words, 1,
        scratch, memory, n.lanes, n.slot_row,
        kept, similarity, n.slot_row,
        n.heads, n.slot_row // n.lanes, n.key_words, False,
    )  # fmt: skip
    for head in range(n.heads):
        scale = splat(kept, inverse_key_norm(n, kept, keys + head * n.key_words))
        row = similarity + head * n.slot_row
        for slot in range(0, n.slot_row, lanes(scratch)):
            value = load(kept, row + slot) * scale * load(scratch, norms + slot)
            store(kept, row + slot, value)


@compiled
def blend_and_shift(
    n: Layout, s: Scratch, kept: Any, numbers: int, head: int, similarity: int, previous: int,
    scratch: Any,
) -> None:  # fmt: skip
    """Eqs. (5), (7) and (8): fill scratch's ``content``, ``ring`` and ``shifted`` for a head."""
    slots, slot_row, shifts = n.slots, n.slot_row, n.shifts
    contents, ring, shifted = s.content, s.ring, s.shifted
    strength = load_splat(kept, numbers + n.strength + head)
    top = splat(kept, _LOWEST)
    for slot in range(0, slot_row, lanes(kept)):
        top = maximum(strength * load(kept, similarity + slot), top)
    highest = splat(kept, largest(top))
    sums = splat(kept, 0.0)
    for slot in range(0, slot_row, lanes(kept)):
        value = first(exp(strength * load(kept, similarity + slot) - highest), slots - slot)
        store(scratch, contents + slot, value)
        sums = sums + value
    scale = splat(kept, 1 / total(sums))
    gate = load_splat(kept, numbers + n.gate + head)
    rest = splat(kept, 1.0) - gate
    middle = ring + shifts // 2
    for slot in range(0, slot_row, lanes(kept)):
        content = load(scratch, contents + slot) * scale
        store(scratch, contents + slot, content)
        before = load(kept, previous + slot)
        store(scratch, middle + slot, add_product(rest * before, gate, content))
    close_ring(n, scratch, ring)
    shift = numbers + n.shift + head * shifts
    end = ring + shifts - 1
    for slot in range(0, slot_row, lanes(kept)):
        moved = load_splat(kept, shift) * load(scratch, end + slot)
        for j in range(1, shifts):
            share = load_splat(kept, shift + j)
            moved = add_product(moved, share, load(scratch, end + slot - j))
        store(scratch, shifted + slot, first(moved, slots - slot))


@compiled
def close_ring(n: Layout, scratch: Any, ring: int) -> None:
    """Copy each end of the circle beyond the other; zeros from there on."""
    reach, slots = n.shifts // 2, n.slots
    for i in range(ring + reach - 1, ring - 1, -1):
        scratch[i] = scratch[i + slots]
    end = ring + reach + slots
    for i in range(end, end + reach):
        scratch[i] = scratch[i - slots]
    for i in range(end + reach, ring + n.slot_row + 2 * reach):
        scratch[i] = 0


@compiled
def sharpen(
    n: Layout, s: Scratch, kept: Any, numbers: int, head: int, weighting: int, scratch: Any
) -> None:
    """Eq. (9): from scratch's ``shifted`` to the head's weighting."""
    slots, slot_row, shifted = n.slots, n.slot_row, s.shifted
    power = splat(kept, 1 + kept[numbers + n.sharpening + head])
    floor = splat(kept, _FLOOR)
    top = splat(kept, _LOWEST)
    for slot in range(0, slot_row, lanes(kept)):
        value = power * log(maximum(load(scratch, shifted + slot), floor))
        store(kept, weighting + slot, value)
        top = maximum(value, top)
    highest = splat(kept, largest(top))
    sums = splat(kept, 0.0)
    for slot in range(0, slot_row, lanes(kept)):
        value = first(exp(load(kept, weighting + slot) - highest), slots - slot)
        store(kept, weighting + slot, value)
        sums = sums + value
    scale = splat(kept, 1 / total(sums))
    for slot in range(0, slot_row, lanes(kept)):
        store(kept, weighting + slot, load(kept, weighting + slot) * scale)


@compiled
def address_backward(
    n: Layout, s: Scratch, kept: Any, numbers: int, head: int, similarity: int, previous: int,
    weighting: int, scratch: Any, norms: int, d_weighting: int,
) -> None:  # fmt: skip
    """Take the gradient of a head's weighting to its similarities and to its numbers.

    ``scratch[d_weighting]`` holds that gradient, which is replaced by the one of the step before.
    ``blend_and_shift`` must have just run. The results in scratch are the head's ``d_dots`` (the
    gradient of key times row), its ``key_pull``, and in ``d_numbers`` the gradients of its
    strength, gate, shift and sharpening. ``d_norms`` is added to.
    """
    slots, slot_row, shifts = n.slots, n.slot_row, n.shifts
    contents, ring, shifted_at, d_ring, d_norms = s.content, s.ring, s.shifted, s.d_ring, s.d_norms
    d_numbers, d_dots = s.d_numbers, s.d_dots + head * slot_row
    middle = d_ring + shifts // 2
    one, floor = splat(kept, 1.0), splat(kept, _FLOOR)

    sums = splat(kept, 0.0)
    for slot in range(0, slot_row, lanes(kept)):
        sums = add_product(sums, load(kept, weighting + slot), load(scratch, d_weighting + slot))
    mean = splat(kept, total(sums))
    power = splat(kept, 1 + kept[numbers + n.sharpening + head])
    sums = splat(kept, 0.0)
    for slot in range(0, slot_row, lanes(kept)):
        shifted = load(scratch, shifted_at + slot)
        floored = maximum(shifted, floor)
        slope = load(kept, weighting + slot) * (load(scratch, d_weighting + slot) - mean)
        sums = add_product(sums, slope, log(floored))
        store(scratch, middle + slot, where_at_least(power * slope / floored, shifted, floor))
    scratch[d_numbers + n.sharpening + head] = total(sums)
    close_ring(n, scratch, d_ring)

    shift = numbers + n.shift + head * shifts
    for j in range(shifts):
        sums = splat(kept, 0.0)
        end = ring + shifts - 1 - j
        for slot in range(0, slot_row, lanes(kept)):
            slope = first(load(scratch, middle + slot), slots - slot)
            sums = add_product(sums, slope, load(scratch, end + slot))
        scratch[d_numbers + n.shift + head * shifts + j] = total(sums)

    gate = load_splat(kept, numbers + n.gate + head)
    gate_sums, sums = splat(kept, 0.0), splat(kept, 0.0)
    for slot in range(0, slot_row, lanes(kept)):
        slope = load_splat(kept, shift) * load(scratch, d_ring + slot)
        for j in range(1, shifts):
            share = load_splat(kept, shift + j)
            slope = add_product(slope, share, load(scratch, d_ring + slot + j))
        slope = first(slope, slots - slot)
        content = load(scratch, contents + slot)
        gate_sums = add_product(gate_sums, slope, content - load(kept, previous + slot))
        store(scratch, d_weighting + slot, (one - gate) * slope)
        slope = gate * slope
        store(scratch, shifted_at + slot, slope)
        sums = add_product(sums, content, slope)
    scratch[d_numbers + n.gate + head] = total(gate_sums)

    mean = splat(kept, total(sums))
    strength = kept[numbers + n.strength + head]
    inverse_key = inverse_key_norm(n, kept, numbers + head * n.key_words)
    scale = splat(kept, strength * inverse_key)
    strengths = splat(kept, strength)
    sums = splat(kept, 0.0)
    for slot in range(0, slot_row, lanes(kept)):
        slope = load(scratch, contents + slot) * (load(scratch, shifted_at + slot) - mean)
        pull = slope * load(kept, similarity + slot)
        sums = sums + pull
        norm = load(scratch, norms + slot)
        store(scratch, d_dots + slot, scale * slope * norm)
        d_norm = load(scratch, d_norms + slot)
        store(scratch, d_norms + slot, add_product(d_norm, strengths * pull * norm, norm))
    d_strength = total(sums)
    scratch[d_numbers + n.strength + head] = d_strength
    scratch[s.key_pull + head] = d_strength * strength * inverse_key * inverse_key

"""Reading and writing the memory of one sequence, forward and backward.

A memory is ``[M, N]``: one row of slots for each word, so that vectors run over slots.
"""

from __future__ import annotations

from typing import Any

from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_part, load_splat, store, store_part
from ntmbench.engine.matmul import multiply
from ntmbench.engine.simd import add_product, inverse_root, lanes, splat, subtract_product, total
from ntmbench.ntm.limits import SQUARED_NORM_FLOOR

from .layout import Layout, Scratch


@compiled
def read(n: Layout, kept: Any, weighting: int, scratch: Any, memory: int, target: int) -> None:
    """Eq. (2): the reads ``[R, M]`` in ``kept``; the weightings of read heads come first."""
    slot_row, words = n.slot_row, n.words
    for head in range(n.reads):
        row = weighting + head * slot_row
        to = target + head * words
        word = 0
        # Four words at a time share the loads of the weighting and hide each other's latency.
        while word + 4 <= words:
            at = memory + word * slot_row
            a, b, c, d = splat(kept, 0.0), splat(kept, 0.0), splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, slot_row, lanes(kept)):
                weight = load(kept, row + slot)
                a = add_product(a, weight, load(scratch, at + slot))
                b = add_product(b, weight, load(scratch, at + slot_row + slot))
                c = add_product(c, weight, load(scratch, at + 2 * slot_row + slot))
                d = add_product(d, weight, load(scratch, at + 3 * slot_row + slot))
            kept[to + word] = total(a)
            kept[to + word + 1] = total(b)
            kept[to + word + 2] = total(c)
            kept[to + word + 3] = total(d)
            word += 4
        while word < words:
            at = memory + word * slot_row
            a = splat(kept, 0.0)
            for slot in range(0, slot_row, lanes(kept)):
                a = add_product(a, load(kept, row + slot), load(scratch, at + slot))
            kept[to + word] = total(a)
            word += 1


@compiled
def write(
    n: Layout,
    kept: Any,
    numbers: int,
    weighting: int,
    scratch: Any,
    memory: int,
    target: int,
    norms: int,
) -> None:
    """Eqs. (3) and (4): erase and add, from the memory to a target that may be the same place.

    It also fills ``norms`` with the inverse norms of what is compared in the target's slots.
    """
    one, floor = splat(kept, 1.0), splat(kept, SQUARED_NORM_FLOOR)
    slot_row, words, key_words = n.slot_row, n.words, n.key_words
    first = weighting + n.first_write * slot_row
    erase, add = numbers + n.erase, numbers + n.add
    if n.writes == 1:
        for slot in range(0, slot_row, lanes(kept)):
            weight = load(kept, first + slot)
            squares = floor
            for word in range(words):
                at = word * slot_row + slot
                value = load(scratch, memory + at)
                adds, erases = load_splat(kept, add + word), load_splat(kept, erase + word)
                value = add_product(value, weight, subtract_product(adds, erases, value))
                store(scratch, target + at, value)
                if word < key_words:
                    squares = add_product(squares, value, value)
            store(scratch, norms + slot, inverse_root(squares))
        return
    for slot in range(0, slot_row, lanes(kept)):
        squares = floor
        for word in range(words):
            left, added = one, splat(kept, 0.0)
            for head in range(n.writes):
                weight = load(kept, first + head * slot_row + slot)
                at = head * words + word
                left = left * subtract_product(one, weight, load_splat(kept, erase + at))
                added = add_product(added, weight, load_splat(kept, add + at))
            at = word * slot_row + slot
            value = add_product(added, load(scratch, memory + at), left)
            store(scratch, target + at, value)
            if word < key_words:
                squares = add_product(squares, value, value)
        store(scratch, norms + slot, inverse_root(squares))


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
    n: Layout,
    s: Scratch,
    kept: Any,
    numbers: int,
    weighting: int,
    scratch: Any,
    memory: int,
    d_memory: int,
    d_reads: int,
    d_weightings: int,
) -> None:
    """Take the gradient of a step's memory, with the reads' share, to the memory before it.

    Adds the write weightings' gradients, and sets those of the erases and adds in ``d_numbers``.
    """
    if n.writes == 1:
        _one_write_backward(
            n,
            s,
            kept,
            numbers,
            weighting,
            scratch,
            memory,
            d_memory,
            d_reads,
            d_weightings,
        )
    else:
        _writes_backward(n, s, kept, numbers, weighting, scratch, memory, d_memory, d_weightings)
    for head in range(1 if n.writes == 1 else 0, n.reads):
        for word in range(n.words):
            at = d_memory + word * n.slot_row
            d_read = load_splat(scratch, d_reads + head * n.words + word)
            for slot in range(0, n.slot_row, lanes(kept)):
                weight = load(kept, weighting + head * n.slot_row + slot)
                store(scratch, at + slot, add_product(load(scratch, at + slot), weight, d_read))


@compiled
def _one_write_backward(
    n: Layout,
    s: Scratch,
    kept: Any,
    numbers: int,
    weighting: int,
    scratch: Any,
    memory: int,
    d_memory: int,
    d_reads: int,
    d_weightings: int,
) -> None:
    """One write head, together with the first read head."""
    slot_row = n.slot_row
    own = weighting + n.first_write * slot_row
    d_own = d_weightings + n.first_write * slot_row
    for word in range(n.words):
        row = word * slot_row
        erase = numbers + n.erase + word
        add = numbers + n.add + word
        erases, adds = load_splat(kept, erase), load_splat(kept, add)
        d_read = load_splat(scratch, d_reads + word)
        d_erase, d_add = splat(kept, 0.0), splat(kept, 0.0)
        for slot in range(0, slot_row, lanes(kept)):
            weight = load(kept, own + slot)
            slope = load(scratch, d_memory + row + slot)
            product = slope * load(scratch, memory + row + slot)
            d_add = add_product(d_add, slope, weight)
            d_erase = add_product(d_erase, product, weight)
            d_weight = add_product(load(scratch, d_own + slot), slope, adds)
            store(scratch, d_own + slot, subtract_product(d_weight, product, erases))
            slope = subtract_product(slope, slope * weight, erases)
            slope = add_product(slope, load(kept, weighting + slot), d_read)
            store(scratch, d_memory + row + slot, slope)
        scratch[s.d_numbers + n.erase + word] = -total(d_erase)
        scratch[s.d_numbers + n.add + word] = total(d_add)


@compiled
def _writes_backward(
    n: Layout,
    s: Scratch,
    kept: Any,
    numbers: int,
    weighting: int,
    scratch: Any,
    memory: int,
    d_memory: int,
    d_weightings: int,
) -> None:
    """Any number of write heads."""
    one = splat(kept, 1.0)
    slot_row, words, writes, width = n.slot_row, n.words, n.writes, lanes(kept)
    own = weighting + n.first_write * slot_row
    d_own = d_weightings + n.first_write * slot_row
    for word in range(words):
        row = word * slot_row
        erase = numbers + n.erase + word
        add = numbers + n.add + word
        for i in range(2 * writes):
            store(scratch, s.write_sums + i * width, splat(kept, 0.0))
        for slot in range(0, slot_row, width):
            slope = load(scratch, d_memory + row + slot)
            product = slope * load(scratch, memory + row + slot)
            # The share of the memory that the heads before one leave, and then those after it.
            left = one
            for head in range(writes):
                store(scratch, s.write_before + head * width, left)
                weight = load(kept, own + head * slot_row + slot)
                left = left * subtract_product(one, weight, load_splat(kept, erase + head * words))
            store(scratch, d_memory + row + slot, slope * left)
            after = product
            for head in range(writes - 1, -1, -1):
                at = head * slot_row + slot
                weight = load(kept, own + at)
                erases = load_splat(kept, erase + head * words)
                adds = load_splat(kept, add + head * words)
                others = after * load(scratch, s.write_before + head * width)
                after = after * subtract_product(one, weight, erases)
                d_weight = add_product(load(scratch, d_own + at), slope, adds)
                store(scratch, d_own + at, subtract_product(d_weight, others, erases))
                at = s.write_sums + 2 * head * width
                store(scratch, at, add_product(load(scratch, at), others, weight))
                at += width
                store(scratch, at, add_product(load(scratch, at), slope, weight))
        for head in range(writes):
            at = s.write_sums + 2 * head * width
            d_erase, d_add = load(scratch, at), load(scratch, at + width)
            scratch[s.d_numbers + n.erase + head * words + word] = -total(d_erase)
            scratch[s.d_numbers + n.add + head * words + word] = total(d_add)


@compiled
def content_backward(
    n: Layout,
    s: Scratch,
    kept: Any,
    numbers: int,
    scratch: Any,
    memory: int,
    d_memory: int,
) -> None:
    """Take the similarities' gradients to the memory, and to the keys in ``d_numbers``.

    Uses ``d_dots``, ``d_norms`` and ``key_pull`` in scratch.
    """
    slot_row, words, heads = n.slot_row, n.key_words, n.heads
    d_norms, d_keys = s.d_norms, s.d_numbers
    for word in range(words):
        row = word * slot_row
        # Two heads at a time; with the first two, the share of the rows' norms.
        head = 0
        while head < heads:
            at = numbers + head * words + word
            pair = head + 1 < heads
            key, other_key = (
                load_splat(kept, at),
                splat(kept, kept[at + words] if pair else 0),
            )
            dots = s.d_dots + head * slot_row
            other_dots = dots + slot_row if pair else dots
            sums, other_sums = splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, slot_row, lanes(kept)):
                d_dot, other_d_dot = (
                    load(scratch, dots + slot),
                    load(scratch, other_dots + slot),
                )
                value = load(scratch, memory + row + slot)
                slope = load(scratch, d_memory + row + slot)
                slope = add_product(add_product(slope, d_dot, key), other_d_dot, other_key)
                if head == 0:
                    slope = subtract_product(slope, load(scratch, d_norms + slot), value)
                store(scratch, d_memory + row + slot, slope)
                sums = add_product(sums, d_dot, value)
                other_sums = add_product(other_sums, other_d_dot, value)
            scratch[d_keys + head * words + word] = total(sums)
            if pair:
                scratch[d_keys + (head + 1) * words + word] = total(other_sums)
            head += 2
    for head in range(heads):
        pull = load_splat(scratch, s.key_pull + head)
        for word in range(0, words, lanes(kept)):
            at = head * words + word
            slope = load_part(scratch, d_keys + at, words - word)
            key = load_part(kept, numbers + at, words - word)
            store_part(scratch, d_keys + at, subtract_product(slope, pull, key), words - word)

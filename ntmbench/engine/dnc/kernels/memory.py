"""Writing to the memory of one sequence and reading it, forward and backward."""

from __future__ import annotations

from typing import Any

from ntmbench.engine.jit import compiled
from ntmbench.engine.load_store import load, load_splat, store, store_part
from ntmbench.engine.matmul import multiply
from ntmbench.engine.reductions import totals
from ntmbench.engine.simd import add_product, lanes, splat, subtract_product, total

from .layout import Layout, Scratch
from .passes import products, row_dot


@compiled
def choose_slots(n: Layout, s: Scratch, kept: Any, now: int, room: Any) -> None:
    """The write weighting, from scratch's ``allocated`` and the last row of content."""
    gate = load_splat(kept, now + n.interface + n.allocation_gate)
    rest = splat(kept, 1.0) - gate
    write = load_splat(kept, now + n.interface + n.write_gate)
    content = now + n.content + n.heads * n.slot_row
    for slot in range(0, n.slot_row, lanes(kept)):
        found = rest * load(kept, content + slot)
        chosen = add_product(found, gate, load(room, s.allocated + slot))
        store(kept, now + n.write + slot, write * chosen)


@compiled
def choose_slots_backward(n: Layout, s: Scratch, kept: Any, now: int, room: Any) -> None:
    """From ``d_write`` to ``d_allocated``, ``d_weighting`` (of the content), and both gates."""
    one = splat(kept, 1.0)
    gate = load_splat(kept, now + n.interface + n.allocation_gate)
    write = load_splat(kept, now + n.interface + n.write_gate)
    content = now + n.content + n.heads * n.slot_row
    from_gate, from_write = splat(kept, 0.0), splat(kept, 0.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        slope = load(room, s.d_write + slot)
        found, allocated = load(kept, content + slot), load(room, s.allocated + slot)
        from_gate = add_product(from_gate, slope, allocated - found)
        from_write = add_product(
            from_write, slope, add_product((one - gate) * found, gate, allocated)
        )
        slope = slope * write
        store(room, s.d_allocated + slot, slope * gate)
        store(room, s.d_weighting + slot, slope * (one - gate))
    room[s.d_numbers + n.allocation_gate] = total(from_gate * write)
    room[s.d_numbers + n.write_gate] = total(from_write)


@compiled
def write(n: Layout, s: Scratch, kept: Any, now: int, room: Any, memory: int, target: int) -> None:
    """Erase and add, from a memory to a target that may be the same place.

    Where freed slots are erased, scratch's ``retention`` must be that of this step.
    """
    numbers = now + n.interface
    whole = splat(kept, 1.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        weight = load(kept, now + n.write + slot)
        retained = load(room, s.retention + slot) if n.frees else whole
        for word in range(n.words):
            at = word * n.slot_row + slot
            value = load(room, memory + at) * retained
            erase = load_splat(kept, numbers + n.erase + word)
            vector = load_splat(kept, numbers + n.vector + word)
            change = subtract_product(vector, erase, value)
            store(room, target + at, add_product(value, weight, change))


@compiled
def write_backward(
    n: Layout, s: Scratch, kept: Any, now: int, room: Any, memory: int, d_memory: int
) -> None:
    """Take the gradient of a memory to the one before the write.

    Adds to ``d_write``, and to ``d_retention`` where freed slots are erased. Sets the gradients of
    what was erased and added.
    """
    numbers = now + n.interface
    wide = lanes(kept)
    for block in range(0, n.words, wide):
        count = min(wide, n.words - block)
        for word in range(block, block + count):
            row = word * n.slot_row
            erase = load_splat(kept, numbers + n.erase + word)
            vector = load_splat(kept, numbers + n.vector + word)
            d_erase, d_vector = splat(kept, 0.0), splat(kept, 0.0)
            for slot in range(0, n.slot_row, wide):
                weight = load(kept, now + n.write + slot)
                slope, value = load(room, d_memory + row + slot), load(room, memory + row + slot)
                weighted = slope * weight
                left = subtract_product(slope, weighted, erase)
                if n.frees:
                    retained = load(room, s.retention + slot)
                    d_retention = load(room, s.d_retention + slot)
                    store(room, s.d_retention + slot, add_product(d_retention, left, value))
                    value, left = value * retained, left * retained
                store(room, d_memory + row + slot, left)
                d_vector = d_vector + weighted
                d_erase = subtract_product(d_erase, weighted, value)
                change = subtract_product(vector, erase, value)
                d_write = load(room, s.d_write + slot)
                store(room, s.d_write + slot, add_product(d_write, slope, change))
            store(room, s.sums + (word - block) * wide, d_erase)
            store(room, s.other_sums + (word - block) * wide, d_vector)
        store_part(room, s.d_numbers + n.erase + block, totals(room, s.sums), count)
        store_part(room, s.d_numbers + n.vector + block, totals(room, s.other_sums), count)


@compiled
def read(n: Layout, s: Scratch, kept: Any, now: int, room: Any, memory: int) -> None:
    """What the read heads read, ``[R, W]`` at the beginning of the answer."""
    for head in range(n.heads):
        weighting, to = now + n.read + head * n.slot_row, now + n.answer + head * n.words
        products(n, s, room, memory, n.words, kept, weighting, kept, to, room)


@compiled
def read_backward(
    n: Layout, s: Scratch, kept: Any, now: int, room: Any, memory: int, own: int
) -> None:
    """Add to the gradients of the read weightings and of the memory."""
    vectors = n.slot_row // n.lanes
    multiply(
        room, own + s.d_answer, n.words, 1,
        room, memory, n.lanes, n.slot_row,
        room, own + s.d_read, n.slot_row,
        n.heads, vectors, n.words, True,
    )  # fmt: skip
    multiply(
        room, own + s.d_answer, 1, n.words,
        kept, now + n.read, n.lanes, n.slot_row,
        room, own + s.d_memory, n.slot_row,
        n.words, vectors, n.heads, True,
    )  # fmt: skip


@compiled
def precede(n: Layout, kept: Any, before: int, now: int) -> None:
    """The precedence after a write."""
    sums = splat(kept, 0.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        sums = sums + load(kept, now + n.write + slot)
    rest = splat(kept, 1 - total(sums))
    for slot in range(0, n.slot_row, lanes(kept)):
        value = load(kept, before + n.precedence + slot)
        value = add_product(load(kept, now + n.write + slot), rest, value)
        store(kept, now + n.precedence + slot, value)


@compiled
def precede_backward(
    n: Layout, s: Scratch, kept: Any, before: int, now: int, room: Any, own: int
) -> None:
    """Take ``d_precedence`` to the step before, and add to ``d_write``.

    The share that the links of this step have in it must be added afterwards.
    """
    sums = splat(kept, 0.0)
    for slot in range(0, n.slot_row, lanes(kept)):
        sums = sums + load(kept, now + n.write + slot)
    rest = splat(kept, 1 - total(sums))
    mean = splat(kept, row_dot(n, kept, before + n.precedence, room, own + s.d_precedence))
    for slot in range(0, n.slot_row, lanes(kept)):
        slope = load(room, own + s.d_precedence + slot)
        store(room, s.d_write + slot, load(room, s.d_write + slot) + (slope - mean))
        store(room, own + s.d_precedence + slot, rest * slope)

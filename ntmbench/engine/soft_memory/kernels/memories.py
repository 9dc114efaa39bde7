"""Where the memories of a sequence stand, in the room and in ``kept``."""

from __future__ import annotations

from ntmbench.engine.jit import compiled

from .layout import Sizes


@compiled
def memory_at(n: Sizes, slot: int, i: int, count: int) -> int:
    """The place in the room of the memories of sequence ``i`` of a block, in one of the slots."""
    return n.memories_at + (slot * count + i) * n.memory_size


@compiled
def d_memory_at(n: Sizes, slot: int, i: int, count: int) -> int:
    """The place of their gradients, for which there are two slots."""
    return n.d_memories_at + (slot * count + i) * n.memory_size


@compiled
def kept_memory(n: Sizes, step: int, sequence: int) -> int:
    """The place in ``kept`` of the memories before a step that is a multiple of the interval."""
    return n.at_memories + (step // n.interval * n.batch + sequence) * n.memory_size

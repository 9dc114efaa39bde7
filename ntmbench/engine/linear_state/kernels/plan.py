"""What a call of the kernels needs to know beside the numbers; it depends on sizes alone."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from ntmbench.engine import threads
from ntmbench.engine.places import as_record, kept_interval

from .layout import Problem, Sizes, make_sizes, state_size

#: Pairs of a sequence and a head that share a call of a kernel.
BLOCK = 16
#: Numbers in the states of such pairs, unless a single one has more: half of a core's cache.
_ROOM = 2**16


class Plan(NamedTuple):
    """Sizes and the division of labour, as the kernels take them."""

    sizes: Sizes
    forward: Any
    backward: Any
    forward_room: int
    backward_room: int
    like: NDArray[Any]
    workers: int
    blocks: list[tuple[int, int]]

    @property
    def kept_states(self) -> int:
        """Numbers in the states that the forward pass keeps: about sqrt(T) of each pair."""
        n = self.sizes
        return n.keep * -(-n.steps // n.interval) * n.pairs * n.state_size

    @property
    def kept_seen(self) -> int:
        """Numbers in what the erasing saw at all steps."""
        n = self.sizes
        return n.keep * n.erase * n.steps * n.pairs * n.value_row


@functools.lru_cache(maxsize=512)
def make_plan(problem: Problem, workers: int) -> Plan:
    """Plan a problem in float32 for a number of threads."""
    largest = max(1, min(BLOCK, _ROOM // state_size(problem)))
    blocks = threads.split(problem.pairs, largest, workers)
    forward = make_sizes(problem, blocks[0][1], 0)
    backward = make_sizes(problem, kept_interval(problem.steps) + 1, blocks[0][1])
    return Plan(
        sizes=forward,
        forward=as_record(forward),
        backward=as_record(backward),
        forward_room=forward.room,
        backward_room=backward.room,
        like=torch.empty(0).numpy(),
        workers=workers,
        blocks=blocks,
    )

"""What a call of the kernels needs to know beside the numbers; it depends on sizes alone."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from numpy.typing import NDArray

from ntmbench.engine import threads
from ntmbench.engine.places import as_record
from ntmbench.engine.processor import VECTOR_BITS

from .layout import Layout, Problem, Scratch, make_layout, make_scratch

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings

#: Sequences that share each pass over the weights.
BLOCK = 8
#: Steps times sequences from which threads share the weights' gradients. Below, sharing does not
#: pay, and one thread computes all rows in a single piece, whatever room that takes.
_SHARED_STEPS = 256
#: The most rows of a piece if they are shared. There is one piece for each thread, since each costs
#: a start, unless a controller is so large that a piece would have more rows than this.
_GRADIENT_ROWS = 4096


class Plan(NamedTuple):
    """Sizes, places and the division of labour."""

    layout: Layout
    forward_scratch: Scratch
    backward_scratch: Scratch
    # The same three, as the kernels take them.
    sizes: Any
    forward_places: Any
    backward_places: Any
    like: NDArray[Any]  # an empty array of the type of the numbers
    workers: int
    blocks: list[tuple[int, int]]  # first sequence and count
    row_pieces: list[tuple[int, int]]  # first row of the weights' gradients and count


def memory_interval(steps: int) -> int:
    """Steps from one memory that is kept to the next, ceil(sqrt(T)).

    About as many are kept as are computed again between two of them.
    """
    return math.isqrt(steps - 1) + 1


@functools.lru_cache(maxsize=512)
def make_plan(
    settings: NTMSettings,
    inputs: int,
    outputs: int,
    slots: int,
    steps: int,
    batch: int,
    dtype: torch.dtype,
    workers: int,
    training: bool,
    every_memory: bool = False,
) -> Plan:
    """Plan ``steps`` steps of ``batch`` sequences for a number of threads.

    With ``training`` the pass keeps what the backward pass needs. With ``every_memory`` it keeps
    the memory of every step, instead of some from which the others can be computed.
    """
    interval = 1 if every_memory else memory_interval(steps)
    lanes = VECTOR_BITS // (8 * dtype.itemsize)
    n = make_layout(
        Problem(settings, inputs, outputs, slots, steps, batch, training, interval, lanes)
    )
    blocks = threads.split(batch, BLOCK, workers)
    forward = make_scratch(n, blocks[0][1], False)
    backward = make_scratch(n, blocks[0][1], True)
    rows = n.parameter_rows
    shared = workers > 1 and steps * batch >= _SHARED_STEPS
    return Plan(
        layout=n,
        forward_scratch=forward,
        backward_scratch=backward,
        sizes=as_record(n),
        forward_places=as_record(forward),
        backward_places=as_record(backward),
        like=torch.empty(0, dtype=dtype).numpy(),
        workers=workers,
        blocks=blocks,
        row_pieces=threads.split(rows, _GRADIENT_ROWS, workers) if shared else [(0, rows)],
    )

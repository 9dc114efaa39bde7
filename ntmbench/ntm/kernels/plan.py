"""What a call of the kernels needs to know beside the numbers; it depends on sizes alone."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from numpy.typing import NDArray

from ntmbench.engine import threads
from ntmbench.engine.places import as_record, kept_interval
from ntmbench.engine.processor import VECTOR_BITS

from .layout import Layout, Problem, Scratch, make_layout, make_scratch

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings


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
    interval = 1 if every_memory else kept_interval(steps)
    lanes = VECTOR_BITS // (8 * dtype.itemsize)
    n = make_layout(
        Problem(settings, inputs, outputs, slots, steps, batch, training, interval, lanes)
    )
    blocks = threads.split(batch, threads.BLOCK, workers)
    forward = make_scratch(n, blocks[0][1], False)
    backward = make_scratch(n, blocks[0][1], True)
    rows = n.parameter_rows
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
        row_pieces=threads.row_pieces(rows, steps * batch, workers),
    )

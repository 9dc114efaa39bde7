"""What a call of the kernels needs to know beside the numbers; it depends on sizes alone."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from ntmbench.engine import threads
from ntmbench.engine.places import as_record, as_table

from .kernels.layers import Packing, make_layers
from .kernels.layout import Problem, Sizes, make_sizes


class Plan(NamedTuple):
    """Sizes and the division of labour, as the kernels take them."""

    sizes: Sizes
    forward: Any
    backward: Any
    forward_room: int
    backward_room: int
    layers: Any
    packing: Packing
    like: NDArray[Any]
    workers: int
    blocks: list[tuple[int, int]]  # first sequence and count
    row_pieces: list[tuple[int, int]]  # first row of the weights' gradients and count


@functools.lru_cache(maxsize=512)
def make_plan(problem: Problem, workers: int) -> Plan:
    """Plan a problem in float32 for a number of threads."""
    blocks = threads.split(problem.batch, threads.BLOCK, workers)
    forward = make_sizes(problem, blocks[0][1], backward=False)
    backward = make_sizes(problem, blocks[0][1], backward=True)
    layers, packing = make_layers(forward)
    rows = sum(layer.size for layer in layers)
    return Plan(
        sizes=forward,
        forward=as_record(forward),
        backward=as_record(backward),
        forward_room=forward.room,
        backward_room=backward.room,
        layers=as_table(layers),
        packing=packing,
        like=torch.empty(0).numpy(),
        workers=workers,
        blocks=blocks,
        row_pieces=threads.row_pieces(rows, problem.steps * problem.batch, workers),
    )

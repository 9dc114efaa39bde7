"""The share of each earlier step in what a memory reads now, carried through erasing and adding.

A memory that is written by adding is a sum over steps: at any time it holds what each step added,
as far as later steps have not erased or moved it. What is read is a weighted sum of the memory, and
so a sum over steps as well. A step's share is the size of its term, of the sizes of all terms.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Less than this counts as nothing read: weights that a softmax leaves everywhere add up to it.
NOTHING = 1e-6


def shares_of(written: Tensor, beginning: Tensor | None = None) -> Tensor:
    """The shares ``[T, B, T]`` of the steps in what is read at each step.

    They add up to one where the memory began empty and something was read, and to less where it
    began with something that is still read. All are zero where nothing is read.

    Args:
        written: ``[T, B, T]``, the size of what was read at a step (first axis) and written at
            another (last axis).
        beginning: ``[T, B]``, the size of what was read and stood in the memory from the beginning;
            None for a memory that began empty.
    """
    total = written.sum(dim=2)  # [T, B]
    if beginning is not None:
        total = total + beginning
    return torch.where(total.unsqueeze(2) > NOTHING, written / total.unsqueeze(2), 0.0)


@torch.no_grad()
def erase_and_add(
    *,
    reads: Tensor,
    writes: Tensor,
    erases: Tensor,
    adds: Tensor,
    first_memory: Tensor | None = None,
    freed: Tensor | None = None,
    reads_first: bool = False,
) -> Tensor:
    """The shares ``[T, B, T]`` in a memory of N slots of M numbers with R read and W write heads.

    At each step ``memory = memory * freed * prod_i (1 - w_i e_i^T) + sum_i w_i a_i^T``. What every
    step added is carried along number by number, so that erasing a part of a word takes a part of
    its share. The terms of all read heads count together.

    Args:
        reads: read weightings ``[T, B, R, N]``.
        writes: write weightings ``[T, B, W, N]``.
        erases: ``[T, B, W, M]`` in [0, 1].
        adds: ``[T, B, W, M]``.
        first_memory: ``[N, M]``, the memory before the first step; None for zeros.
        freed: ``[T, B, N]``, the part of each slot that is kept whatever the erases; None for all.
        reads_first: whether a step reads from the memory that the step before left.
    """
    steps, batch_size = reads.shape[:2]
    written = reads.new_zeros(steps, batch_size, steps)
    beginning = reads.new_zeros(steps, batch_size)
    for b in range(batch_size):  # one sequence at a time: T memories are carried
        # terms[s] is what step s added, as far as it is left; terms[T] is what was there before.
        terms = reads.new_zeros(steps + 1, writes.shape[3], adds.shape[3])  # [T + 1, N, M]
        if first_memory is not None:
            terms[steps] = first_memory
        for step in range(steps):
            if reads_first:
                _read(terms, reads[step, b], written[step, b], beginning[step, b])
            weights = writes[step, b].unsqueeze(2)  # [W, N, 1]
            kept = (1 - weights * erases[step, b].unsqueeze(1)).prod(dim=0)  # [N, M]
            if freed is not None:
                kept = kept * freed[step, b].unsqueeze(1)
            terms[:step] *= kept
            terms[steps] *= kept
            terms[step] = (weights * adds[step, b].unsqueeze(1)).sum(dim=0)
            if not reads_first:
                _read(terms, reads[step, b], written[step, b], beginning[step, b])
    return shares_of(written, beginning)


def _read(terms: Tensor, weightings: Tensor, written: Tensor, beginning: Tensor) -> None:
    """Fill ``written [T]`` and ``beginning []`` with the sizes of what heads ``[R, N]`` read."""
    sizes = (weightings @ terms).abs().sum(dim=(1, 2))  # [T + 1, R, M] to [T + 1]
    written.copy_(sizes[:-1])
    beginning.copy_(sizes[-1])

"""The kernels as a PyTorch function: all steps, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ntmbench.engine import differentiable, threads
from ntmbench.engine.processor import VECTOR_BITS

from .kernels import LOWEST, run_backward, run_forward

#: Numbers in a vector.
_LANES = VECTOR_BITS // 32


class _Passes:
    """All steps of one batch."""

    def __init__(self, given: Tensor, tensors: Sequence[Tensor], keep: bool) -> None:
        """Lay out the gates ``[T, B, H, 4, S]`` and R ``[H, S, 4 S]``.

        The forward pass is the same whether or not a backward pass follows (``keep``).
        """
        steps, batch, heads, _, size = given.shape
        self.size, self.pad = size, -size % _LANES
        self.row = size + self.pad  # L
        self.sizes = np.array([steps, batch, heads, size, self.row], dtype=np.int64)
        self.gates = self._padded(given)  # [T, B, H, 4, L]
        self.recurrent = self._padded(tensors[0].reshape(heads, size, 4, size))  # [H, S, 4, L]
        self.outputs, self.cells, self.weights, self.slopes = torch.empty(
            4, steps, batch, heads, self.row
        )
        self.workers = torch.get_num_threads()
        self.blocks = threads.split(batch, threads.BLOCK, self.workers)

    def forward(self) -> Tensor:
        """Outputs ``[T, B, H, S]``."""
        largest = torch.full(self.outputs.shape[1:], LOWEST)
        arrays = (
            _flat(self.gates),
            _flat(self.recurrent),
            _flat(self.outputs),
            _flat(self.cells),
            _flat(self.weights),
            _flat(self.slopes),
            _flat(largest),
        )

        def block(_: int, first: int, count: int) -> None:
            run_forward(self.sizes, *arrays, first, count)

        threads.run(block, self.blocks, self.workers)
        outputs: Tensor = self.outputs[..., : self.size].contiguous()
        return outputs

    def backward(self, slopes: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Gradients of the gates and of R."""
        heads, size, row = self.recurrent.shape[0], self.size, self.row
        turned = functional.pad(self.recurrent, (0, 0, 0, 0, 0, self.pad))  # [H, L, 4, L]
        turned = turned.view(heads, row, 4 * row).mT.contiguous()  # [H, 4 L, L]
        state = torch.zeros(3, *self.outputs.shape[1:])
        arrays = (
            _flat(self.gates),
            _flat(turned),
            _flat(self._padded(slopes)),
            _flat(self.cells),
            _flat(self.weights),
            _flat(self.slopes),
            _flat(state),
        )

        def block(_: int, first: int, count: int) -> None:
            run_backward(self.sizes, *arrays, first, count)

        threads.run(block, self.blocks, self.workers)
        d_given = self.gates[..., :size].contiguous()  # [T, B, H, 4, S]
        if not needed[1]:
            return [d_given, None]
        # All but the first step saw the outputs of the step before: N = (T - 1) B of them.
        seen = self.outputs[:-1, ..., :size].flatten(0, 1).permute(1, 2, 0)  # [H, S, N]
        found = d_given[1:].flatten(3).flatten(0, 1).transpose(0, 1)  # [H, N, 4 S]
        return [d_given, seen @ found]

    def _padded(self, rows: Tensor) -> Tensor:
        """Rows with zeros up to a whole number of vectors, in memory of their own."""
        rows = rows.detach().resolve_neg()
        return functional.pad(rows, (0, self.pad)).clone(memory_format=torch.contiguous_format)


def _flat(tensor: Tensor) -> Any:
    return tensor.view(-1).numpy()


_KERNELS = differentiable.Kernels(
    _Passes, "engine of the sLSTM", "In float64 the model runs without it."
)


def run(given: Tensor, recurrent: Tensor) -> Tensor:
    """Outputs ``[T, B, H, S]``; ``slstm_cells`` says of what."""
    return differentiable.run(_KERNELS, given, [recurrent])

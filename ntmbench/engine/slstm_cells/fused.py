"""The kernels as a PyTorch function: all steps, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ntmbench.engine import differentiable, threads
from ntmbench.engine.places import as_record, padded
from ntmbench.engine.processor import FLOAT_LANES

from .kernels.backward import find_recurrent_gradient, run_backward
from .kernels.forward import LOWEST, run_forward
from .kernels.layout import Sizes


class _Passes:
    """All steps of one batch."""

    def __init__(self, given: Tensor, tensors: Sequence[Tensor], keep: bool) -> None:
        """Lay out the gates ``[T, B, H, 4, S]`` and R ``[H, S, 4 S]``.

        ``keep`` says whether a backward pass follows.
        """
        steps, batch, heads, _, cells = given.shape
        row = padded(cells, FLOAT_LANES)
        self.n = Sizes(steps, batch, heads, cells, row, batch * heads * row if keep else 0)
        self.sizes = as_record(self.n)
        self.gates = self._rows(given)  # [T, B, H, 4, L]
        self.recurrent = self._rows(tensors[0].reshape(heads, cells, 4, cells))  # [H, S, 4, L]
        self.outputs = torch.empty(steps, batch, heads, row)
        kept = steps if keep else 1
        self.cells = torch.empty(kept, batch, heads, row)
        self.weights, self.slopes = torch.empty_like(self.cells), torch.empty_like(self.cells)
        self.workers = torch.get_num_threads()
        self.blocks = threads.split(batch, threads.BLOCK, self.workers)

    def forward(self) -> Tensor:
        """Outputs ``[T, B, H, S]``."""
        arrays = (
            _flat(self.gates),
            _flat(self.recurrent),
            _flat(self.outputs),
            _flat(self.cells),
            _flat(self.weights),
            _flat(self.slopes),
            _flat(torch.full(self.outputs.shape[1:], LOWEST)),
        )

        def block(_: int, first: int, count: int) -> None:
            run_forward(self.sizes, *arrays, first, count)

        threads.run(block, self.blocks, self.workers)
        return self._cells(self.outputs)

    def backward(self, slopes: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Gradients of the gates and of R."""
        n = self.n
        turned = torch.zeros(n.heads, 4 * n.row, n.row)  # [H, 4 L, L]
        turned[..., : n.cells] = self.recurrent.flatten(2).mT
        arrays = (
            _flat(self.gates),
            _flat(turned),
            _flat(self._rows(slopes)),
            _flat(self.cells),
            _flat(self.weights),
            _flat(self.slopes),
            _flat(torch.zeros(3, n.batch, n.heads, n.row)),
        )

        def block(_: int, first: int, count: int) -> None:
            run_backward(self.sizes, *arrays, first, count)

        threads.run(block, self.blocks, self.workers)
        return [
            self._cells(self.gates) if needed[0] else None,
            self._recurrent_gradient() if needed[1] else None,
        ]

    def _recurrent_gradient(self) -> Tensor:
        """That of R ``[H, S, 4 S]``, from the gradients that the backward pass left as gates."""
        found = torch.empty_like(self.recurrent)  # [H, S, 4, L]
        arrays = _flat(self.outputs), _flat(self.gates), _flat(found)

        def block(_: int, first: int, count: int) -> None:
            find_recurrent_gradient(self.sizes, *arrays, first, count)

        heads = threads.split(self.n.heads, self.n.heads, self.workers)
        threads.run(block, heads, self.workers)
        return self._cells(found).flatten(2)

    def _rows(self, numbers: Tensor) -> Tensor:
        """Numbers ``[..., S]`` as rows ``[..., L]``."""
        rows = torch.zeros(*numbers.shape[:-1], self.n.row)
        rows[..., : self.n.cells] = numbers.detach()
        return rows

    def _cells(self, rows: Tensor) -> Tensor:
        """The numbers ``[..., S]`` of rows ``[..., L]``, in memory of their own."""
        return rows[..., : self.n.cells].clone(memory_format=torch.contiguous_format)


def _flat(tensor: Tensor) -> Any:
    return tensor.view(-1).numpy()


_KERNELS = differentiable.Kernels(
    _Passes, "engine of the sLSTM", "In float64 the model runs without it."
)


def run(given: Tensor, recurrent: Tensor) -> Tensor:
    """Outputs ``[T, B, H, S]``; ``slstm_cells`` says of what."""
    return differentiable.run(_KERNELS, given, [recurrent])

"""The kernels as a PyTorch function: a whole sequence, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ntmbench.engine import differentiable, threads
from ntmbench.engine.addresses import addresses_of, plain
from ntmbench.engine.differentiable import Kernels

from .kernels.backward import run_backward
from .kernels.forward import run_forward
from .kernels.gradients import weight_gradients
from .kernels.packing import pack_backward, pack_forward
from .kernels.plan import make_plan
from .shape import Shape


def run(shape: Shape, inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Logits ``[T, B, out]`` for inputs ``[T, B, in]``, with gradients for every tensor."""
    kernels = Kernels(
        lambda inputs, weights, training: _Call(shape, inputs, weights, training=training),
        "engine of the DNC",
        "Set model.engine=eager.",
    )
    return differentiable.run(kernels, inputs, weights)


class _Call:
    """One forward pass, and one backward pass over what it kept."""

    def __init__(
        self, shape: Shape, inputs: Tensor, weights: Sequence[Tensor], *, training: bool
    ) -> None:
        self.inputs = plain(inputs)
        self.weights = [plain(weight) for weight in weights]
        steps, batch, _ = inputs.shape
        workers = torch.get_num_threads()
        self.plan = make_plan(shape, steps, batch, training, inputs.dtype, workers)
        self.addresses = addresses_of(*self.weights)
        self.kept = self.empty(self.plan.layout.kept)

    def empty(self, size: int) -> Tensor:
        """Room for ``size`` numbers."""
        return torch.empty(size, dtype=self.inputs.dtype)

    def forward(self) -> Tensor:
        """Fill ``kept`` and return the logits."""
        plan, n = self.plan, self.plan.layout
        logits = self.inputs.new_empty(n.steps, n.batch, n.outputs)
        packed = self.empty(n.packed)
        pack_forward(plan.sizes, self.addresses, plan.like, packed.data_ptr())
        addresses = addresses_of(self.inputs, logits, self.kept, packed)
        rooms = self._rooms(plan.forward_scratch.size)

        def block(worker: int, first: int, count: int) -> None:
            room = rooms[worker].data_ptr()
            run_forward(plan.sizes, plan.forward_places, addresses, plan.like, room, first, count)

        threads.run(block, plan.blocks, plan.workers)
        return logits

    def backward(self, d_logits: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Gradients of the inputs and the weights; None where not needed."""
        plan, n = self.plan, self.plan.layout
        d_logits = plain(d_logits)
        packed = self.empty(n.back_packed)
        pack_backward(plan.sizes, self.addresses, plan.like, packed.data_ptr())
        addresses = addresses_of(d_logits, self.kept, packed)
        rooms = self._rooms(plan.backward_scratch.size)

        def block(worker: int, first: int, count: int) -> None:
            room = rooms[worker].data_ptr()
            run_backward(plan.sizes, plan.backward_places, addresses, plan.like, room, first, count)

        threads.run(block, plan.blocks, plan.workers)
        d_inputs = self._d_inputs() if needed[0] else None
        if any(needed[1:]):
            return [d_inputs, *self._d_weights(d_logits)]
        return [d_inputs, *(None for _ in self.weights)]

    def _rooms(self, size: int) -> list[Tensor]:
        """Room to work in for every thread."""
        return [self.empty(size) for _ in range(min(self.plan.workers, len(self.plan.blocks)))]

    def _d_inputs(self) -> Tensor:
        n = self.plan.layout
        size = n.steps * n.batch * n.record
        records = self.kept[n.batch * n.record :][:size].view(n.steps, n.batch, n.record)
        gates = records[..., n.gates : n.gates + 4 * n.units]
        return gates @ self.weights[0].detach()[:, : n.inputs]

    def _d_weights(self, d_logits: Tensor) -> list[Tensor]:
        plan = self.plan
        gradients = [torch.empty_like(weight) for weight in self.weights]
        addresses = addresses_of(d_logits, self.kept, *gradients)
        workers = min(plan.workers, len(plan.row_pieces))
        room = self.empty(workers * plan.row_pieces[0][1] * plan.layout.lanes)
        size = room.nbytes // workers

        def rows(worker: int, first: int, count: int) -> None:
            at = room.data_ptr() + worker * size
            weight_gradients(plan.sizes, addresses, plan.like, at, first, first + count)

        threads.run(rows, plan.row_pieces, workers)
        return gradients

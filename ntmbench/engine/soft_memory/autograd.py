"""The kernels as a PyTorch function: a whole sequence, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ntmbench.engine import differentiable, threads
from ntmbench.engine.addresses import addresses_of, plain
from ntmbench.engine.differentiable import Kernels
from ntmbench.engine.processor import FLOAT_LANES

from .kernels.gradients import weight_gradients
from .kernels.layout import Problem
from .kernels.packing import pack_backward, pack_forward
from .plan import make_plan


@dataclass(frozen=True)
class Network:
    """A kind of network: its passes, and how its weights go together to those of the kernels."""

    run_forward: Any
    run_backward: Any
    #: From a model's weights and biases to those of the kernels' layers, and back for gradients.
    joined: Callable[[Problem, Sequence[Tensor]], list[Tensor]]
    parted: Callable[[Problem, Sequence[Tensor]], list[Tensor]]


def run(
    network: Network, problem: Problem, inputs: Tensor, tensors: Sequence[Tensor], *beside: Tensor
) -> Tensor:
    """Logits ``[T, B, out]`` for inputs ``[T, B, in]``, with gradients for inputs and tensors.

    ``tensors`` are the model's weights and biases, ``beside`` what its passes take beside them;
    ``problem.training`` is left to this.
    """

    def make(inputs: Tensor, tensors: Sequence[Tensor], training: bool) -> _Call:
        return _Call(network, problem._replace(training=training), beside, inputs, tensors)

    kernels = Kernels(make, "engine of stacks and tapes", "Set model.engine=eager.")
    return differentiable.run(kernels, inputs, tensors)


class _Call:
    """One forward pass, and one backward pass over what it kept."""

    def __init__(
        self,
        network: Network,
        problem: Problem,
        beside: Sequence[Tensor],
        inputs: Tensor,
        tensors: Sequence[Tensor],
    ) -> None:
        self.network, self.problem = network, problem
        self.beside = [plain(tensor) for tensor in beside]
        self.inputs = plain(inputs.detach())
        self.plan = make_plan(problem, torch.get_num_threads())
        detached = [tensor.detach() for tensor in tensors]
        self.tensors = [plain(tensor) for tensor in network.joined(problem, detached)]
        self.addresses = addresses_of(*self.tensors)
        self.kept = torch.empty(self.plan.sizes.kept)

    def forward(self) -> Tensor:
        """Fill ``kept`` and return the logits."""
        plan, n = self.plan, self.plan.sizes
        logits = torch.empty(n.steps, n.batch, n.outputs)
        size = plan.packing.forward
        packed = torch.empty(size)
        pack_forward(plan.layers, self.addresses, plan.like, packed.data_ptr(), size)
        addresses = addresses_of(self.inputs, logits, self.kept, packed, *self.beside)
        rooms = self._rooms(plan.forward_room)

        def block(worker: int, first: int, count: int) -> None:
            room = rooms[worker].data_ptr()
            self.network.run_forward(
                plan.forward, plan.layers, size, addresses, plan.like, room, first, count
            )

        threads.run(block, plan.blocks, plan.workers)
        return logits

    def backward(self, d_logits: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Gradients of the inputs and of the model's weights; None where not needed."""
        plan = self.plan
        d_logits = plain(d_logits)
        size = plan.packing.backward
        packed = torch.empty(size)
        pack_backward(plan.layers, self.addresses, plan.like, packed.data_ptr(), size)
        addresses = addresses_of(d_logits, self.kept, packed, *self.beside)
        rooms = self._rooms(plan.backward_room)

        def block(worker: int, first: int, count: int) -> None:
            room = rooms[worker].data_ptr()
            self.network.run_backward(
                plan.backward, plan.layers, size, addresses, plan.like, room, first, count
            )

        threads.run(block, plan.blocks, plan.workers)
        d_inputs = self._d_inputs() if needed[0] else None
        if not any(needed[1:]):
            return [d_inputs] + [None] * len(needed[1:])
        found = self.network.parted(self.problem, self._d_weights(d_logits))
        return [d_inputs, *(d if need else None for d, need in zip(found, needed[1:], strict=True))]

    def _rooms(self, size: int) -> list[Tensor]:
        """Room to work in for every thread."""
        count = min(self.plan.workers, len(self.plan.blocks))
        return [torch.empty(size) for _ in range(count)]

    def _d_inputs(self) -> Tensor:
        n = self.plan.sizes
        rows = self.kept[n.at_slopes : n.at_slopes + n.steps * n.batch * n.unit_row]
        slopes = rows.view(n.steps, n.batch, n.unit_row)[..., : n.units]
        return slopes @ self.tensors[0][:, : n.inputs]

    def _d_weights(self, d_logits: Tensor) -> list[Tensor]:
        plan = self.plan
        gradients = [torch.empty_like(tensor) for tensor in self.tensors]
        addresses = addresses_of(self.kept, d_logits, *gradients)
        workers = min(plan.workers, len(plan.row_pieces))
        rooms = [torch.empty(plan.row_pieces[0][1] * FLOAT_LANES) for _ in range(workers)]

        def rows(worker: int, first: int, count: int) -> None:
            room = rooms[worker].data_ptr()
            weight_gradients(
                plan.forward, plan.layers, addresses, plan.like, room, first, first + count
            )

        threads.run(rows, plan.row_pieces, workers)
        return gradients

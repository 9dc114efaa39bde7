"""The fused engine as a PyTorch function: a whole sequence, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ntmbench.engine import differentiable, threads
from ntmbench.engine.addresses import addresses_of, plain
from ntmbench.engine.differentiable import Kernels
from ntmbench.ntm.trace import NTMTrace
from ntmbench.ntm.weights import FirstValues, Weights

from .backward import run_backward
from .forward import run_forward
from .gradients import start_gradients, weight_gradients
from .packing import pack_backward, pack_forward
from .plan import make_plan

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings


def run(settings: NTMSettings, inputs: Tensor, first: FirstValues, weights: Weights) -> Tensor:
    """Logits ``[T, B, out]`` for inputs ``[T, B, in]``, with gradients for every tensor."""
    kernels = Kernels(
        lambda inputs, tensors, training: _Call(settings, inputs, tensors, training=training),
        "fused engine",
        "Set model.engine=eager.",
    )
    return differentiable.run(kernels, inputs, (*first, *weights.flat()))


def trace(settings: NTMSettings, inputs: Tensor, first: FirstValues, weights: Weights) -> NTMTrace:
    """Run inputs ``[T, B, in]`` without gradients and return what the memory did."""
    tensors = (*first, *weights.flat())
    call = _Call(settings, inputs, tensors, training=True, every_memory=True)
    return call.trace(call.forward())


class _Call:
    """One forward pass, and one backward pass over what it kept."""

    def __init__(
        self,
        settings: NTMSettings,
        inputs: Tensor,
        tensors: Sequence[Tensor],
        *,
        training: bool,
        every_memory: bool = False,
    ) -> None:
        """``tensors`` are the first values and then the flat weights."""
        self.inputs = plain(inputs)
        self.tensors = [plain(tensor) for tensor in tensors]
        steps, batch, width = inputs.shape
        slots, outputs = self.tensors[3].shape[1], self.tensors[-1].shape[0]
        self.plan = make_plan(
            settings,
            width,
            outputs,
            slots,
            steps,
            batch,
            inputs.dtype,
            torch.get_num_threads(),
            training,
            every_memory,
        )
        self.addresses = addresses_of(*self.tensors)
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
        controller, reads = self.tensors[:2]
        addresses = addresses_of(self.inputs, logits, self.kept, packed, controller, reads)
        rooms = self._rooms(plan.forward_scratch.size)

        def block(worker: int, first: int, count: int) -> None:
            run_forward(
                plan.sizes,
                plan.forward_places,
                addresses,
                plan.like,
                rooms[worker].data_ptr(),
                first,
                count,
            )

        threads.run(block, plan.blocks, plan.workers)
        return logits

    def backward(self, d_logits: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Gradients of the inputs, the first values and the weights; None where not needed."""
        plan, n = self.plan, self.plan.layout
        d_logits = plain(d_logits)
        packed = self.empty(n.back_packed)
        pack_backward(plan.sizes, self.addresses, plan.like, packed.data_ptr())
        learned = any(needed[1:5])
        starts = self.empty(n.batch * n.start_row if learned else 0)
        addresses = addresses_of(d_logits, self.kept, packed, starts)
        rooms = self._rooms(plan.backward_scratch.size)

        def block(worker: int, first: int, count: int) -> None:
            run_backward(
                plan.sizes,
                plan.backward_places,
                addresses,
                plan.like,
                rooms[worker].data_ptr(),
                first,
                count,
            )

        threads.run(block, plan.blocks, plan.workers)
        d_inputs = self._d_inputs() if needed[0] else None
        d_first = self._d_first(starts, needed[1:5]) if learned else [None] * 4
        weights = len(self.tensors) - 4
        d_weights = self._d_weights(d_logits) if any(needed[5:]) else [None] * weights
        return [d_inputs, *d_first, *d_weights]

    def trace(self, logits: Tensor) -> NTMTrace:
        """The trace of the memory; every memory must have been kept."""
        n = self.plan.layout
        numbers = self._rows(n.at_heads, n.steps, n.head_row)
        answers = self._rows(n.at_answers, n.steps, n.answer_row)
        weightings = self._rows(n.at_weightings, n.steps + 1, n.heads * n.slot_row)[1:]
        weightings = _grid(weightings, 0, n.heads, n.slot_row)[..., : n.slots]
        memory = self._rows(n.at_memory, n.steps + 1, n.words * n.slot_row)[1:]
        memory = _grid(memory, 0, n.words, n.slot_row)[..., : n.slots]
        return NTMTrace(
            logits=logits,
            read_weightings=weightings[:, :, : n.reads].clone(),
            write_weightings=weightings[:, :, n.first_write : n.first_write + n.writes].clone(),
            reads=_grid(answers, 0, n.reads, n.words).clone(),
            erases=_grid(numbers, n.erase, n.writes, n.words).clone(),
            adds=_grid(numbers, n.add, n.writes, n.words).clone(),
            memory=memory.transpose(-1, -2).contiguous(),
            key_strength=numbers[..., n.strength : n.strength + n.heads].clone(),
            interpolation_gate=numbers[..., n.gate : n.gate + n.heads].clone(),
            shift=_grid(numbers, n.shift, n.heads, n.shifts).clone(),
            sharpening=numbers[..., n.sharpening : n.sharpening + n.heads] + 1,
        )

    def _rooms(self, size: int) -> list[Tensor]:
        """Room to work in for every thread."""
        return [self.empty(size) for _ in range(min(self.plan.workers, len(self.plan.blocks)))]

    def _rows(self, start: int, steps: int, row: int) -> Tensor:
        """A stretch of ``kept`` as ``[steps, B, row]``."""
        batch = self.plan.layout.batch
        return self.kept[start : start + steps * batch * row].view(steps, batch, row)

    def _d_inputs(self) -> Tensor:
        n = self.plan.layout
        gates = self._rows(n.at_gates, n.steps, n.gate_row)[..., : n.gates]
        return gates @ self.tensors[4].detach()[:, : n.inputs]

    def _d_first(self, starts: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Sums over the sequences."""
        gradients = [torch.zeros_like(value) for value in self.tensors[:4]]
        addresses = addresses_of(starts, *gradients)
        start_gradients(self.plan.sizes, addresses, self.plan.like)
        return [
            gradient if wanted else None for gradient, wanted in zip(gradients, needed, strict=True)
        ]

    def _d_weights(self, d_logits: Tensor) -> list[Tensor]:
        plan = self.plan
        gradients = [torch.empty_like(weight) for weight in self.tensors[4:]]
        addresses = addresses_of(d_logits, self.kept, *gradients)
        workers = min(plan.workers, len(plan.row_pieces))
        room = self.empty(workers * plan.row_pieces[0][1] * plan.layout.lanes)
        size = room.nbytes // workers

        def rows(worker: int, first: int, count: int) -> None:
            at = room.data_ptr() + worker * size
            weight_gradients(plan.sizes, addresses, plan.like, at, first, first + count)

        threads.run(rows, plan.row_pieces, workers)
        return gradients


def _grid(rows: Tensor, start: int, count: int, size: int) -> Tensor:
    """A stretch of every row as ``[T, B, count, size]``."""
    return rows[..., start : start + count * size].reshape(*rows.shape[:2], count, size)

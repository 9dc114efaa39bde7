"""The kernels as a PyTorch function: all steps, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from ntmbench.engine import threads
from ntmbench.engine.addresses import addresses_of, plain
from ntmbench.engine.derivatives import check_first_derivatives

from .arguments import Arguments
from .kernels.backward import run_backward
from .kernels.forward import run_forward
from .kernels.layout import DIAGONAL, NO_DECAY, SCALAR, Problem
from .kernels.plan import Plan, make_plan


def run(given: Arguments) -> tuple[Tensor, Tensor]:
    """Outputs ``[T / every, B, H, V]`` and the last state ``[B, H, V, K]``."""
    nothing = given.key.new_empty(0)
    tensors = [
        nothing if tensor is None else tensor
        for tensor in (
            given.query, given.key, given.value,
            given.decay, given.erase_from, given.erase_to, given.state,
        )
    ]  # fmt: skip
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        found = _Run.apply(given.every, *tensors)  # type: ignore[no-untyped-call]
        return cast(tuple[Tensor, Tensor], found)
    return _forward(_plan(tensors, given.every, keep=False), tensors)[:2]


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, every: int, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        ctx.plan = _plan(tensors, every, keep=True)
        outputs, last, *kept = _forward(ctx.plan, tensors)
        ctx.kept = kept
        ctx.save_for_backward(*tensors)
        return outputs, last

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor | None, ...]:
        check_first_derivatives(
            "engine of matrix states", "In float64 the model runs without it.", d_outputs, d_last
        )
        found = _backward(ctx.plan, ctx.saved_tensors, ctx.kept, d_outputs, d_last)
        needed = ctx.needs_input_grad[1:]
        return (None, *(d if need else None for d, need in zip(found, needed, strict=True)))


def _plan(tensors: Sequence[Tensor], every: int, *, keep: bool) -> Plan:
    key, value, decay, erase, state = (tensors[i] for i in (1, 2, 3, 4, 6))
    steps, batch, heads, keys = key.shape
    problem = Problem(
        steps=steps,
        pairs=batch * heads,
        keys=keys,
        values=value.shape[-1],
        every=every,
        decay={1: NO_DECAY, 3: SCALAR, 4: DIAGONAL}[decay.ndim],
        erase=erase.ndim > 1,
        begins=state.ndim > 1,
        keep=keep,
    )
    return make_plan(problem, torch.get_num_threads())


def _forward(plan: Plan, tensors: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Outputs, the last state, and what the backward pass needs: some states, and u."""
    query, key, value = tensors[:3]
    batch, heads, keys = key.shape[1:]
    outputs = torch.empty(*query.shape[:3], value.shape[-1])
    last = torch.empty(batch, heads, value.shape[-1], keys)
    states, seen = torch.empty(plan.kept_states), torch.empty(plan.kept_seen)
    arguments = [plain(tensor) for tensor in tensors]
    addresses = addresses_of(*arguments, outputs, last, states, seen)
    rooms = _rooms(plan, plan.forward_room)

    def block(worker: int, first: int, count: int) -> None:
        run_forward(plan.forward, addresses, plan.like, rooms[worker].data_ptr(), first, count)

    threads.run(block, plan.blocks, plan.workers)
    return outputs, last, states, seen


def _backward(
    plan: Plan, tensors: Sequence[Tensor], kept: list[Tensor], d_outputs: Tensor, d_last: Tensor
) -> list[Tensor]:
    """The gradients of all tensors."""
    arguments = [plain(tensor) for tensor in tensors]
    given = [plain(d_outputs), plain(d_last)]
    found = [torch.empty(tensor.shape) for tensor in tensors]
    # The outputs and the last state are not needed again.
    addresses = addresses_of(*arguments, *given, *kept)
    gradients = addresses_of(*found, *given)
    rooms = _rooms(plan, plan.backward_room)

    def block(worker: int, first: int, count: int) -> None:
        room = rooms[worker].data_ptr()
        run_backward(plan.backward, addresses, gradients, plan.like, room, first, count)

    threads.run(block, plan.blocks, plan.workers)
    return found


def _rooms(plan: Plan, size: int) -> list[Tensor]:
    """Room to work in for every thread."""
    return [torch.empty(size) for _ in range(min(plan.workers, len(plan.blocks)))]

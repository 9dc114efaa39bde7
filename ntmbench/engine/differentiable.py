"""A whole sequence by kernels as one function of PyTorch, with their own backward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from .derivatives import check_first_derivatives


class Passes(Protocol):
    """One forward pass, and one backward pass over what it kept."""

    def forward(self) -> Tensor:
        """The results."""

    def backward(self, slopes: Tensor, needed: Sequence[bool]) -> Sequence[Tensor | None]:
        """Gradients of the inputs and then of the tensors; None where not needed."""


@dataclass(frozen=True)
class Kernels:
    """How kernels run a sequence.

    Attributes:
        make: from inputs, tensors, and whether a backward pass follows, to the passes.
        name: what runs, in words.
        otherwise: where derivatives work that these kernels lack, as a sentence.
    """

    make: Callable[[Tensor, Sequence[Tensor], bool], Passes]
    name: str
    otherwise: str


def run(kernels: Kernels, inputs: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """The results of kernels, with gradients for inputs and tensors.

    The backward pass raises a ModelError where ``derivatives`` says that it cannot be run.
    """
    if torch.is_grad_enabled() and any(t.requires_grad for t in (inputs, *tensors)):
        return cast(Tensor, _Run.apply(kernels, inputs, *tensors))  # type: ignore[no-untyped-call]
    return kernels.make(inputs, tensors, False).forward()


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernels: Kernels, inputs: Tensor, *tensors: Tensor) -> Tensor:
        ctx.kernels = kernels
        ctx.passes = kernels.make(inputs, tensors, True)
        ctx.save_for_backward(inputs, *tensors)
        return cast(Tensor, ctx.passes.forward())

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:
        kernels: Kernels = ctx.kernels
        check_first_derivatives(kernels.name, kernels.otherwise, slopes)
        inputs, *tensors = ctx.saved_tensors
        passes, ctx.passes = ctx.passes, None
        if passes is None:
            # A backward pass uses up what the forward pass kept: run the forward pass again.
            passes = kernels.make(inputs, tensors, True)
            passes.forward()
        return (None, *passes.backward(slopes, ctx.needs_input_grad[1:]))

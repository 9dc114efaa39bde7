"""Two implementations of a model: the same outputs and the same gradients, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ntmbench.registry import make_model

INPUTS, OUTPUTS, STEPS, BATCH = 4, 3, 11, 2


def double_model(name: str, **settings: Any) -> Any:
    """A registered model in float64, with weights large enough that every term matters."""
    model = make_model(name, INPUTS, OUTPUTS, **settings).double()
    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            generator = torch.Generator().manual_seed(number)
            weight.add_(torch.randn(weight.shape, generator=generator, dtype=weight.dtype) / 4)
    return model


def double_inputs(steps: int = STEPS) -> Tensor:
    """Inputs ``[T, B, in]`` in float64."""
    generator = torch.Generator().manual_seed(7)
    return torch.randn(steps, BATCH, INPUTS, generator=generator, dtype=torch.float64)


def assert_same(
    model: nn.Module, run: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor]
) -> None:
    """Check outputs, and the gradients of the inputs and of all the weights of ``model``.

    ``run`` and ``other`` both compute with these weights.
    """
    found = []
    for implementation in (run, other):
        inputs = double_inputs().requires_grad_()
        logits = implementation(inputs)
        shares = torch.linspace(-1, 2, logits.numel(), dtype=torch.float64).view_as(logits)
        wanted = [inputs, *model.parameters()]
        found.append((logits, torch.autograd.grad((logits * shares).sum(), wanted)))
    (ours, our_gradients), (theirs, their_gradients) = found
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)
    names = ["inputs", *(name for name, _ in model.named_parameters())]
    for name, one, two in zip(names, our_gradients, their_gradients, strict=True):
        assert torch.allclose(one, two, rtol=1e-9, atol=1e-10), f"another gradient of {name}"

"""What the tests of matrix states do: give a mixer random inputs, and compare two answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from ntmbench.baselines.linear.blocks import Block, BlockModel, MatrixMixer, Operands
from ntmbench.engine.linear_state import linear_state
from ntmbench.registry import make_model

STEPS, BATCH = 8, 2

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def moved(module: ModuleT) -> ModuleT:
    """The module in float64, each weight moved, so that none is at a start that hides it."""
    generator = torch.Generator().manual_seed(1)
    module = module.double()
    with torch.no_grad():
        for weight in module.parameters():
            noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
            weight.add_(0.1 * noise)
    return module


def first_mixer(name: str, **settings: Any) -> MatrixMixer:
    """The mixer of the first block of a model, with moved weights."""
    return mixers(name, **settings)[0]


def mixers(name: str, **settings: Any) -> list[MatrixMixer]:
    """The mixers of a model's blocks, with moved weights."""
    model = make_model(name, 3, 2, **settings)
    assert isinstance(model, BlockModel)
    return [cast(Block, block).mixer for block in moved(model).blocks]


def inputs(size: int, steps: int = STEPS) -> Tensor:
    """Random numbers ``[T, B, size]`` that want a gradient."""
    generator = torch.Generator().manual_seed(2)
    drawn = torch.randn(steps, BATCH, size, generator=generator, dtype=torch.float64)
    return drawn.requires_grad_()


def check_answers(
    mixer: MatrixMixer, size: int, oracle: Callable[[Operands, Tensor], Tensor]
) -> None:
    """The answers of the state and their gradients are the oracle's, ``[T, B, H, V]``.

    The oracle gets the operands and the inputs, and computes with the mixer's weights.
    """
    hidden = inputs(size)
    made = mixer.operands(hidden)
    ours, _ = linear_state(
        made.query, made.key, made.value, decay=made.decay, erase=made.erase, every=mixer.every
    )
    check_same(ours, oracle(made, hidden), mixer, hidden)


def check_same(ours: Tensor, theirs: Tensor, mixer: nn.Module, hidden: Tensor) -> None:
    """Two functions of the inputs and of a mixer's weights are the same, and so are the gradients.

    No gradient may be 0, which would show nothing. Weights that neither is a function of, or that
    want no gradient, are left out.
    """
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)
    weights = {name: weight for name, weight in mixer.named_parameters() if weight.requires_grad}
    variables = {"inputs": hidden, **weights}
    one, two = slopes(ours, variables), slopes(theirs, variables)
    assert one.keys() == two.keys(), "functions of other weights"
    for name, slope in one.items():
        assert slope.any(), f"the gradient of {name} is 0"
        assert torch.allclose(slope, two[name], rtol=1e-8, atol=1e-10), f"another slope of {name}"


def slopes(values: Tensor, variables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The gradients of a weighted sum of the values, by those variables that it is made of."""
    generator = torch.Generator().manual_seed(3)
    weights = torch.randn(values.shape, generator=generator, dtype=torch.float64)
    found = torch.autograd.grad(
        (values * weights).sum(), list(variables.values()), retain_graph=True, allow_unused=True
    )
    pairs = zip(variables, found, strict=True)
    return {name: slope for name, slope in pairs if slope is not None}


def batch_first(tensor: Tensor) -> Tensor:
    """``[T, B, ...]`` as ``[B, T, ...]``, and back."""
    return tensor.transpose(0, 1)

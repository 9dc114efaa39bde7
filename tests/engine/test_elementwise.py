"""Compiled functions of tensors against PyTorch's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ntmbench.engine.elementwise import (
    differentiable_softmax,
    log_sum_exp,
    sigmoid,
    softmax,
    softplus,
)

Function = Callable[[Tensor], Tensor]


def last(x: Tensor) -> Tensor:
    return x.softmax(dim=-1)


def log_sum(x: Tensor) -> Tensor:
    return x.logsumexp(dim=-1)


PAIRS: dict[str, tuple[Function, Function]] = {
    "sigmoid": (sigmoid, torch.sigmoid),
    "softplus": (softplus, functional.softplus),
    "softmax": (softmax, last),
    "log_sum_exp": (log_sum_exp, log_sum),
}
each = pytest.mark.parametrize("name", PAIRS)


def draw(dtype: torch.dtype, width: int = 19) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return 8 * torch.randn(5, 3, width, dtype=dtype, generator=generator)


@each
@pytest.mark.parametrize("width", [1, 7, 16, 40])
def test_values(name: str, width: int) -> None:
    ours, pytorchs = PAIRS[name]
    exact = pytorchs(draw(torch.float64, width))
    torch.testing.assert_close(ours(draw(torch.float64, width)), exact, rtol=1e-7, atol=1e-8)
    single = draw(torch.float32, width)
    exact = pytorchs(single.double()).float()
    torch.testing.assert_close(ours(single), exact, rtol=2e-6, atol=1e-7)


@each
def test_arguments_stay_as_they_are_and_may_lie_anywhere(name: str) -> None:
    ours, _ = PAIRS[name]
    x = draw(torch.float32)
    before = x.clone()
    turned = ours(x.transpose(0, 1))
    assert torch.equal(x, before)
    assert torch.equal(turned, ours(x).transpose(0, 1))


@each
def test_pytorch_differentiates_its_own(name: str) -> None:
    ours, _ = PAIRS[name]
    assert torch.autograd.gradcheck(ours, draw(torch.float64, 3).requires_grad_())


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_not_a_number_stays_so(name: str) -> None:
    ours, _ = PAIRS[name]
    found = ours(torch.tensor([1.0, math.nan, -1.0]))
    assert found.isnan().tolist() == [False, True, False]


def test_derivative_of_the_softmax() -> None:
    x = draw(torch.float64, 5).requires_grad_()
    assert torch.autograd.gradcheck(differentiable_softmax, x)
    torch.testing.assert_close(differentiable_softmax(x), last(x))

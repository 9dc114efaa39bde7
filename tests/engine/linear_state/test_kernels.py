"""The kernels against the recurrence in float64."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from ntmbench.engine.linear_state import linear_state, linear_state_eager
from ntmbench.errors import ModelError
from tests.engine.linear_state.drawing import Case, draw, leaves

CASES = [
    *(
        Case(decay, erase, every, state)
        for decay, erase, every, state in product(
            ("none", "scalar", "diagonal"), (False, True), (1, 2), (False, True)
        )
    ),
    Case("diagonal", True, 1, True, steps=1, batch=1, heads=1, keys=1, values=1),
    Case("diagonal", True, 3, True, steps=30, batch=3, heads=1, keys=17, values=33),
    Case("scalar", True, 1, False, steps=41, batch=1, heads=5, keys=32, values=16),
    # More pairs than share a call, the last call with fewer; also of a single step, and of states
    # so large that fewer pairs share one.
    Case("diagonal", True, 5, True, steps=35, batch=7, heads=5, keys=9, values=6),
    Case("diagonal", True, 1, True, steps=1, batch=9, heads=3),
    Case("scalar", True, 1, True, steps=18, batch=9, heads=1, keys=130, values=130),
]


def results(form: Any, drawn: dict[str, Any]) -> list[Tensor]:
    """Outputs, last state, and all gradients of a sum of their products with fixed numbers."""
    tensors = leaves(drawn)
    outputs, last = form(**drawn)
    generator = torch.Generator().manual_seed(9)
    loss = sum(
        (x * torch.randn(x.shape, generator=generator).to(x.dtype)).sum() for x in (outputs, last)
    )
    return [outputs.detach(), last.detach(), *torch.autograd.grad(loss, tensors)]


def error(found: Tensor, exact: Tensor) -> float:
    """The largest difference, relative to the largest number.

    That is taken as 0.1 or more, since a lone number may be a small difference of larger ones.
    """
    return float((found - exact).abs().max() / exact.abs().max().clamp(min=0.1))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients(case: Case) -> None:
    exact = results(linear_state_eager, draw(case))
    found = results(linear_state, draw(case, torch.float32))
    for ours, reference in zip(found, exact, strict=True):
        assert ours.dtype == torch.float32
        assert error(ours, reference) < 3e-6


def test_the_kernels_run_only_where_they_can() -> None:
    single, double = draw(Case(), torch.float32), draw(Case())
    for tensor in leaves(single) + leaves(double):
        assert tensor.requires_grad
    assert "_Run" in str(linear_state(**single)[0].grad_fn)
    assert "Stack" in str(linear_state(**double)[0].grad_fn)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    case = Case("diagonal", True, 1, True, batch=5, heads=3)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(results(linear_state, draw(case, torch.float32)))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_tensors_may_lie_anywhere() -> None:
    drawn = draw(Case("scalar", True), torch.float32)
    apart: dict[str, Any] = {
        name: value.transpose(0, 1).contiguous().transpose(0, 1)
        if isinstance(value, Tensor)
        else value
        for name, value in drawn.items()
    }
    assert torch.equal(linear_state(**apart)[0], linear_state(**drawn)[0])


def test_a_second_backward_pass_gives_the_same() -> None:
    drawn = draw(Case("diagonal", True), torch.float32)
    tensors = leaves(drawn)
    loss = linear_state(**drawn)[0].sum()
    first = torch.autograd.grad(loss, tensors, retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, tensors)))


def test_second_derivatives_are_refused() -> None:
    drawn = draw(Case(), torch.float32)
    tensors = leaves(drawn)
    loss = linear_state(**drawn)[0].sum()
    with pytest.raises(ModelError, match="no second derivatives"):
        torch.autograd.grad(loss, tensors, create_graph=True)


def test_extremes() -> None:
    drawn = draw(Case("diagonal", True, steps=41), torch.float32)
    drawn["decay"] = torch.zeros_like(drawn["decay"])
    drawn["value"] = 1e18 * drawn["value"]
    assert all(tensor.isfinite().all() for tensor in results(linear_state, drawn))
    drawn["value"] = torch.full_like(drawn["value"], 1e-42)
    drawn["value"][0, 0, 0, 0] = torch.nan
    outputs = linear_state(**drawn)[0]
    assert outputs[0, 0, 0, 0].isnan()
    assert outputs[:, 1].isfinite().all()

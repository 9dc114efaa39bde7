"""The kernels of the sLSTM's cells beside PyTorch operations in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ntmbench.engine.slstm_cells import slstm_cells, slstm_cells_eager
from ntmbench.errors import ModelError

#: T, B, H and S: fewer and more sequences than a block, rows of whole vectors and others.
SIZES = [(1, 2, 2, 5), (7, 3, 2, 24), (12, 9, 1, 16), (5, 1, 3, 33)]


def drawn(steps: int, batch: int, heads: int, size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    given = 2 * torch.randn(steps, batch, heads, 4, size, generator=generator)
    recurrent = torch.randn(heads, size, 4 * size, generator=generator) / size**0.5
    return given.requires_grad_(), recurrent.requires_grad_()


def slopes_of(outputs: Tensor) -> Tensor:
    return torch.cos(torch.arange(outputs.numel(), dtype=outputs.dtype)).view(outputs.shape)


def in_float64(*tensors: Tensor) -> list[Tensor]:
    return [tensor.detach().double().requires_grad_() for tensor in tensors]


@pytest.mark.parametrize("sizes", SIZES)
def test_answers_and_gradients_are_those_of_pytorch_in_float64(
    sizes: tuple[int, int, int, int],
) -> None:
    given = drawn(*sizes)
    exact = in_float64(*given)
    outputs, expected = slstm_cells(*given), slstm_cells_eager(*exact)
    torch.testing.assert_close(outputs.double(), expected, rtol=1e-5, atol=1e-5)
    found = torch.autograd.grad(outputs, given, slopes_of(outputs))
    wanted = torch.autograd.grad(expected, exact, slopes_of(expected))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-5)


def test_extreme_gates_give_what_float64_gives() -> None:
    given, recurrent = drawn(6, 2, 1, 16)
    with torch.no_grad():
        given[1] *= 1e3  # gates that are wide open, or shut
        given[3] = -1e4
        given[4, :, :, 0] = 80.0
    exact = in_float64(given, recurrent)
    outputs, expected = slstm_cells(given, recurrent), slstm_cells_eager(*exact)
    torch.testing.assert_close(outputs.double(), expected, rtol=1e-4, atol=1e-5)
    (found,) = torch.autograd.grad(outputs.sum(), given)
    assert found.isfinite().all()


def test_a_sequence_is_the_same_in_any_batch_and_with_any_number_of_threads() -> None:
    given, recurrent = drawn(9, 20, 2, 10)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = slstm_cells(given[:, 11:12], recurrent)
        outputs = slstm_cells(given, recurrent)
        (slope,) = torch.autograd.grad(outputs.sum(), given)
        torch.set_num_threads(2)
        shared = slstm_cells(given, recurrent)
        (other,) = torch.autograd.grad(shared.sum(), given)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(outputs[:, 11:12], alone)
    assert torch.equal(outputs, shared)
    assert torch.equal(slope, other)


def test_a_second_backward_pass_gives_the_same() -> None:
    given, recurrent = drawn(4, 2, 2, 6)
    outputs = slstm_cells(given, recurrent)
    first = torch.autograd.grad(outputs.sum(), (given, recurrent), retain_graph=True)
    second = torch.autograd.grad(outputs.sum(), (given, recurrent))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_only_gradients_that_are_needed_are_found() -> None:
    given, recurrent = drawn(4, 2, 2, 6)
    (found,) = torch.autograd.grad(slstm_cells(given, recurrent.detach()).sum(), given)
    (expected, _) = torch.autograd.grad(slstm_cells(given, recurrent).sum(), (given, recurrent))
    assert torch.equal(found, expected)


def test_second_derivatives_are_refused() -> None:
    given, recurrent = drawn(3, 1, 1, 4)
    outputs = slstm_cells(given, recurrent)
    with pytest.raises(ModelError, match="no second derivatives"):
        torch.autograd.grad(outputs.sum(), given, create_graph=True)


def test_no_sequences_are_possible() -> None:
    given, recurrent = drawn(3, 0, 2, 5)
    assert slstm_cells(given, recurrent).shape == (3, 0, 2, 5)

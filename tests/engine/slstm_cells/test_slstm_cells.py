"""The kernels of the sLSTM's cells beside PyTorch operations in float64."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ntmbench.engine.obstacle import multiplies_and_adds_at_once
from ntmbench.engine.slstm_cells import slstm_cells, slstm_cells_eager
from ntmbench.errors import ModelError
from ntmbench.registry import make_model

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


@pytest.mark.parametrize("forget", [5.0, 10.0, 15.0, 20.0])
def test_a_gate_that_keeps_nearly_all_can_learn_to_forget(forget: float) -> None:
    """Its gradient is small, and exact for its size."""
    given, recurrent = drawn(4, 2, 1, 16)
    with torch.no_grad():
        given[:, :, :, 1] = forget
        recurrent.zero_()
    exact = in_float64(given, recurrent)
    (found,) = torch.autograd.grad(slstm_cells(given, recurrent).sum(), given)
    (wanted,) = torch.autograd.grad(slstm_cells_eager(*exact).sum(), exact[:1])
    kept, expected = found[:, :, :, 1].double(), wanted[:, :, :, 1]
    assert expected.abs().max() > 0
    assert (kept - expected).abs().max() < 1e-5 * expected.abs().max()


def test_the_result_is_the_callers_to_change() -> None:
    given, recurrent = drawn(4, 2, 2, 16)  # rows of whole vectors
    expected = torch.autograd.grad(2 * slstm_cells(given, recurrent).sum(), recurrent)
    changed = slstm_cells(given, recurrent).mul_(2)
    assert torch.equal(torch.autograd.grad(changed.sum(), recurrent)[0], expected[0])


def test_answers_are_the_same_without_gradients() -> None:
    given, recurrent = drawn(6, 3, 2, 24)
    outputs = slstm_cells(given, recurrent)
    with torch.no_grad():
        assert torch.equal(slstm_cells(given, recurrent), outputs)


def test_arguments_may_lie_in_memory_in_any_order() -> None:
    given, recurrent = drawn(6, 3, 2, 7)
    turned = given.detach().transpose(0, 4).contiguous().transpose(0, 4)
    assert torch.equal(slstm_cells(turned, recurrent), slstm_cells(given, recurrent))


@pytest.mark.parametrize(
    ("given", "recurrent", "message"),
    [
        ((0, 2, 2, 4, 5), (2, 5, 20), "given must be"),
        ((3, 2, 2, 3, 5), (2, 5, 20), "given must be"),
        ((3, 2, 2, 4, 5), (1, 5, 20), r"recurrent must be \[2, 5, 20\]"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(
    given: tuple[int, ...], recurrent: tuple[int, ...], message: str
) -> None:
    for form in (slstm_cells, slstm_cells_eager):
        with pytest.raises(ValueError, match=message):
            form(torch.zeros(given), torch.zeros(recurrent))


def test_a_model_in_float32_is_run_by_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    if not multiplies_and_adds_at_once():
        pytest.skip("the kernels need a processor with fused multiply-add")
    fused = pytest.importorskip("ntmbench.engine.slstm_cells.fused")
    runs, run = list[Any](), fused.run

    def counted(given: Tensor, recurrent: Tensor) -> Tensor:
        runs.append(given)
        result: Tensor = run(given, recurrent)
        return result

    monkeypatch.setattr(fused, "run", counted)
    torch.manual_seed(1)
    model = make_model("slstm", 3, 2, hidden_size=10)
    with torch.no_grad():  # recurrent weights start at zero
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.1)
    inputs = torch.randn(8, 3, 3)
    found = slopes(model, inputs)
    assert len(runs) == 2  # layers
    wanted = slopes(copy.deepcopy(model).double(), inputs.double())
    assert len(runs) == 2
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() < 1e-4 * other.abs().max()


def slopes(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Logits, and the gradients of their squares by all weights."""
    logits = model(inputs)
    return [logits, *torch.autograd.grad(logits.square().sum(), list(model.parameters()))]


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

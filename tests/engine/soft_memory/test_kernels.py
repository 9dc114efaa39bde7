"""Kernels of networks with stacks and tapes, against their forms in PyTorch operations."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ntmbench.errors import ModelError
from tests.engine.soft_memory.networks import SIZES, Case, network, random_inputs, results

CASES = [
    case
    for model in SIZES
    for case in (
        Case(model, steps=1, batch=1, hidden_size=1, memories=1, cells=2, cell_size=1),
        Case(model, steps=12, batch=3, memories=3),
        Case(model, steps=41, batch=17, hidden_size=33, memories=4, cells=64, cell_size=8),
        Case(model, steps=30, batch=1, hidden_size=20, cells=2, cell_size=40, inputs=20),
    )
]
each = pytest.mark.parametrize("case", CASES, ids=str)
each_model = pytest.mark.parametrize("case", [Case(model) for model in SIZES], ids=str)

some_cases = st.builds(
    Case,
    model=st.sampled_from(list(SIZES)),
    steps=st.integers(1, 20),
    batch=st.integers(1, 10),
    hidden_size=st.integers(1, 35),
    memories=st.integers(1, 4),
    cells=st.integers(2, 20),
    cell_size=st.integers(1, 20),
    writer_size=st.integers(1, 35),
    inputs=st.integers(1, 20),
    outputs=st.integers(1, 20),
)


def error(found: Tensor, exact: Tensor) -> float:
    """The largest difference, relative to the largest number or 0.1."""
    return float((found - exact).abs().max() / exact.abs().max().clamp(min=0.1))


def check(case: Case) -> None:
    """Compare logits and all gradients with those of float64, which PyTorch computes."""
    model, inputs = network(case), random_inputs(case)
    found = results(model, inputs)
    exact = results(copy.deepcopy(model).double(), inputs.detach().double().requires_grad_())
    for ours, theirs in zip(found, exact, strict=True):
        assert ours.dtype == torch.float32
        assert error(ours, theirs) < 5e-6
    with torch.no_grad():  # nothing is kept then
        assert torch.equal(model(inputs), found[0])


@each
def test_values_and_gradients(case: Case) -> None:
    check(case)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(some_cases)
def test_values_and_gradients_at_any_size(case: Case) -> None:
    check(case)


@each_model
def test_the_kernels_run_only_where_they_can(case: Case) -> None:
    def fused(model: nn.Module, inputs: Tensor) -> bool:
        return "_Run" in str(model(inputs).grad_fn)

    model, inputs = network(case), random_inputs(case)
    assert fused(model, inputs)
    assert not fused(copy.deepcopy(model).double(), inputs.double())
    with torch.autocast("cpu"):
        assert not fused(model, inputs)
    for wrong in (inputs[:, :0], inputs[..., 1:]):
        with pytest.raises(ValueError, match="takes inputs"):
            model(wrong)
    called = []
    model.actions.register_forward_hook(lambda *_: called.append(True))
    assert not fused(model, inputs)
    assert len(called) == case.steps


@each_model
def test_any_number_of_threads_gives_the_same_bits(case: Case) -> None:
    # So many steps and sequences that the weights' gradients are shared out too.
    case = Case(case.model, steps=30, batch=9)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(results(network(case), random_inputs(case)))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


@each_model
def test_a_sequence_is_the_same_in_any_batch(case: Case) -> None:
    model, inputs = network(case), random_inputs(Case(case.model, batch=11))
    together = model(inputs)
    assert torch.equal(model(inputs[:, 9:10]), together[:, 9:10])


@each_model
def test_an_enlarged_memory_changes_what_is_lost(case: Case) -> None:
    model, inputs = network(Case(case.model, steps=20, cells=2)), random_inputs(Case(steps=20))
    small = model(inputs)
    with model.room_for(30) as room:
        assert room == 30
        large = model(inputs)
        torch.testing.assert_close(large, model.forward_eager(inputs))
    assert torch.equal(model(inputs), small)
    assert not torch.allclose(large, small, atol=1e-3)


@each_model
def test_tensors_may_lie_anywhere(case: Case) -> None:
    model, inputs = network(case), random_inputs(case)
    expected = results(model, inputs)
    for weight in model.parameters():
        if weight.ndim == 2:
            weight.data = weight.data.T.contiguous().T
    apart = inputs.detach().transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    assert all(map(torch.equal, results(model, apart), expected))


@each_model
def test_a_second_backward_pass_gives_the_same(case: Case) -> None:
    model, inputs = network(case), random_inputs(case)
    weights = list(model.parameters())
    loss = model(inputs).sum()
    first = torch.autograd.grad(loss, weights, retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, weights)))


@each_model
def test_only_what_is_asked_for_has_a_gradient(case: Case) -> None:
    model, inputs = network(case), random_inputs(case)
    for weight in model.parameters():
        weight.requires_grad_(False)
    model.actions.bias.requires_grad_()
    model(inputs.detach()).sum().backward()
    assert [weight.grad is not None for weight in model.parameters()].count(True) == 1


@each_model
def test_second_derivatives_are_refused(case: Case) -> None:
    model, inputs = network(case), random_inputs(case)
    with pytest.raises(ModelError, match=r"no second derivatives.*Set model.engine=eager"):
        torch.autograd.grad(model(inputs).sum(), inputs, create_graph=True)


@each_model
def test_not_every_memory_is_kept(case: Case) -> None:
    model, inputs = network(Case(case.model, steps=100, cells=100)), random_inputs(Case(steps=100))
    function = model(inputs).grad_fn
    assert function is not None
    every = 100 * 100 * case.batch * case.memories * case.cell_size
    assert function.passes.kept.numel() < every / 2


def test_what_is_not_a_number_stays_in_its_sequence() -> None:
    for model in SIZES:
        case = Case(model, batch=3)
        inputs = random_inputs(case).detach()
        inputs[2, 1, 0] = torch.nan
        logits = network(case)(inputs)
        assert logits[2:, 1].isnan().all()
        assert logits[:, [0, 2]].isfinite().all()
        assert logits[:2].isfinite().all()

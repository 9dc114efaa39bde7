"""The fused engine of the DNC against the eager form in float64."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntmbench.baselines.memory.dnc import DNC
from ntmbench.engine.dnc.kernels.layout import Problem, make_layout
from ntmbench.engine.dnc.shape import Shape
from ntmbench.errors import ModelError
from tests.engine.dnc.drawing import MENDS, Case, draw, eager, fused, results, worst

CASES = [
    *(Case(mends) for count in range(4) for mends in combinations(MENDS, count)),
    Case(steps=1, batch=1, units=1, slots=2, words=1, heads=1),
    Case(MENDS, steps=10, batch=3, units=17, slots=37, words=19, heads=1),
    Case(steps=41, batch=9, units=20, slots=16, words=16, heads=4),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_and_gradients(case: Case) -> None:
    exact = results(eager, *draw(case, torch.float64))
    found = results(lambda model, inputs: model(inputs), *draw(case, torch.float32))
    assert all(tensor.dtype == torch.float32 for tensor in found)
    assert worst(found, exact) < 1e-5


cases = st.builds(
    Case,
    mends=st.sets(st.sampled_from(MENDS)).map(tuple),
    steps=st.integers(1, 20),
    batch=st.integers(1, 10),
    units=st.integers(1, 20),
    slots=st.integers(2, 40),
    words=st.integers(1, 20),
    heads=st.integers(1, 5),
)


@pytest.mark.slow
@given(cases, st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_the_kernels_are_exact_in_float64(case: Case, seed: int) -> None:
    drawn = draw(case, torch.float64, seed)
    assert worst(results(fused, *drawn), results(eager, *drawn)) < 1e-8


def test_a_pass_without_gradients_gives_the_same_bits() -> None:
    model, inputs = draw(Case(MENDS, steps=7, batch=10), torch.float32)
    with torch.no_grad():
        without = model(inputs)
    assert torch.equal(without, model(inputs))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    case = Case(MENDS, steps=30, batch=20, slots=20)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(results(fused, *draw(case, torch.float32)))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_a_sequence_does_not_depend_on_the_others() -> None:
    model, inputs = draw(Case(steps=7, batch=11), torch.float32)
    assert torch.equal(model(inputs)[:, 9:10], model(inputs[:, 9:10]))


def test_equally_used_slots_are_allocated_in_their_order() -> None:
    """Slots that nobody wrote to are equal, and so are those that were freed entirely."""
    case = Case(steps=5, batch=1, slots=33)
    model, inputs = draw(case, torch.float32)
    with torch.no_grad():
        model.interface.weight.zero_()
        model.interface.bias.fill_(50.0)  # gates are open
        assert worst([fused(model, inputs)], [eager(model, inputs)]) < 1e-5


def runs_fused(model: DNC, inputs: Any) -> bool:
    return "_Run" in str(model(inputs).grad_fn)


def test_the_kernels_run_only_where_they_can() -> None:
    model, inputs = draw(Case(), torch.float32)
    assert runs_fused(model, inputs)
    with torch.autocast("cpu", torch.bfloat16):
        assert not runs_fused(model, inputs)
    assert not runs_fused(*draw(Case(), torch.float64))
    for part in (model.interface, model.controller):
        hook = part.register_forward_hook(lambda *_: None)
        assert not runs_fused(model, inputs)
        hook.remove()
    assert runs_fused(model, inputs)


def test_an_enlarged_memory() -> None:
    model, inputs = draw(Case(), torch.float32)
    with model.room_for(40) as slots:
        assert slots == 40
        assert runs_fused(model, inputs)
        assert worst(results(fused, model, inputs), results(eager, model, inputs)) < 1e-5


def test_tensors_may_lie_anywhere() -> None:
    model, inputs = draw(Case(), torch.float32)
    apart = inputs.detach().transpose(0, 1).contiguous().transpose(0, 1)
    assert torch.equal(model(apart), model(inputs))


def test_a_second_backward_pass_gives_the_same() -> None:
    model, inputs = draw(Case(MENDS), torch.float32)
    weights = list(model.parameters())
    loss = model(inputs).sum()
    first = torch.autograd.grad(loss, weights, retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, weights)))


def test_gradients_that_nobody_asks_for_are_left_out() -> None:
    model, inputs = draw(Case(), torch.float32)
    (alone,) = torch.autograd.grad(model(inputs).sum(), [inputs])
    model.requires_grad_(False)
    (again,) = torch.autograd.grad(model(inputs).sum(), [inputs])
    assert torch.equal(alone, again)


def test_second_derivatives_are_refused() -> None:
    model, inputs = draw(Case(), torch.float32)
    with pytest.raises(ModelError, match="no second derivatives"):
        torch.autograd.grad(model(inputs).sum(), [inputs], create_graph=True)


def test_inputs_of_another_shape_are_refused() -> None:
    model, inputs = draw(Case(), torch.float32)
    with pytest.raises(ValueError, match=r"DNC takes inputs \[T, B, 3\]"):
        model(inputs[..., :2])


def test_a_number_that_is_none_stays_in_its_sequence() -> None:
    model, inputs = draw(Case(MENDS, batch=3, slots=20), torch.float32)
    with torch.no_grad():
        inputs[2, 1] = torch.nan
    logits = model(inputs)
    assert logits[2:, 1].isnan().all()
    assert logits[:, ::2].isfinite().all()
    assert torch.autograd.grad(logits[:, ::2].sum(), [inputs])[0][:, ::2].isfinite().all()


def test_kept_numbers_are_as_many_as_the_formula_says() -> None:
    """The formula is that of ``kernels.layout``; with a vector of 1, nothing is padded."""
    sizes = Shape(14, 16, 32, 64, 16, 1, False, False, False)
    n = make_layout(Problem(sizes, steps=64, batch=1, keep=True, lanes=1))
    a_step = 14 + 2 * (16 + 32 + 1) + 5 * 32 + n.numbers + 64 * (6 + 5) + (64**2 + 64 * 16) / 8
    assert n.kept == 64 * a_step + n.record

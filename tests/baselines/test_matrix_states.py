"""The models with matrix states as a whole: their kernels, and what each step has in an answer."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from ntmbench.baselines.linear.blocks import Block, BlockModel, MatrixMixer
from ntmbench.engine.linear_state import linear_state_eager
from ntmbench.engine.obstacle import multiplies_and_adds_at_once
from ntmbench.registry import make_model
from tests.small import SMALL

INPUTS, OUTPUTS, STEPS, BATCH = 4, 3, 12, 2
MODELS = [
    "linear_attention",
    "delta_net",
    "gated_delta_net",
    "delta_product",
    "mamba2",
    "mlstm",
    "rwkv7",
]


def small(name: str) -> BlockModel:
    """A small model whose weights are moved by fixed noise, so that none is 0 at the start."""
    model = make_model(name, INPUTS, OUTPUTS, **SMALL[name])
    assert isinstance(model, BlockModel)
    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            generator = torch.Generator().manual_seed(number)
            weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
    return model


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(100), dtype=torch.float64)


def slopes(model: nn.Module, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits, and the gradients of a weighted sum of them by inputs and weights."""
    inputs = inputs.clone().requires_grad_()
    logits = model(inputs)
    weights = random(*logits.shape).to(logits)
    return logits, list(
        torch.autograd.grad((logits * weights).sum(), [inputs, *model.parameters()])
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_fused_model_is_the_eager_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 the kernels run the state, in float64 they cannot."""
    if not multiplies_and_adds_at_once():
        pytest.skip("the kernels need a processor with fused multiply-add")
    fused = pytest.importorskip("ntmbench.engine.linear_state.fused")
    runs, run = list[Any](), fused.run

    def counted(given: Any) -> Any:
        runs.append(given)
        return run(given)

    monkeypatch.setattr(fused, "run", counted)
    model, inputs = small(name), random(STEPS, BATCH, INPUTS)
    logits, found = slopes(model, inputs.float())
    assert len(runs) == len(model.blocks)
    expected, wanted = slopes(copy.deepcopy(model).double(), inputs)
    assert len(runs) == len(model.blocks)
    torch.testing.assert_close(logits.double(), expected, rtol=1e-4, atol=1e-4)
    names = ["inputs", *dict(model.named_parameters())]
    for weight, one, two in zip(names, found, wanted, strict=True):
        largest = float(two.abs().max())
        assert largest > 0, f"the gradient of {weight} is 0"
        assert float((one - two).abs().max()) < 1e-4 * largest, f"another gradient of {weight}"


@pytest.mark.parametrize("name", MODELS)
def test_shares_are_those_of_what_each_step_added(name: str) -> None:
    """A step's part of an answer is the answer if the values of all other steps are 0.

    The number of a normaliser is no part of it.
    """
    model = small(name).double()
    mixer = cast(Block, model.blocks[0]).mixer
    assert isinstance(mixer, MatrixMixer)
    with torch.no_grad():
        hidden = random(STEPS, BATCH, model.output.in_features)
        made = mixer.operands(hidden)
        parts = []
        for step in range(STEPS):
            own = slice(step * mixer.every, (step + 1) * mixer.every)
            sizes = []
            for row in range(own.start, own.stop):
                value = torch.zeros_like(made.value)
                value[row] = made.value[row]
                answers, _ = linear_state_eager(
                    made.query,
                    made.key,
                    value,
                    decay=made.decay,
                    erase=made.erase,
                    every=mixer.every,
                )
                if name in ("linear_attention", "mlstm"):
                    answers = answers[..., :-1]
                sizes.append(answers.norm(dim=3))
            parts.append(torch.stack(sizes).sum(dim=0))
        expected = torch.stack(parts, dim=3)  # [T, B, H, T]
        expected = expected / expected.sum(dim=3, keepdim=True)
        torch.testing.assert_close(mixer.shares(hidden), expected)


def test_shares_do_not_depend_on_the_unit_of_the_values() -> None:
    """As they would if the column of ones in the values counted."""
    mixer = cast(Block, small("linear_attention").double().blocks[0]).mixer
    with torch.no_grad():
        hidden = random(STEPS, BATCH, 6)
        before = mixer.shares(hidden)
        cast(nn.Linear, mixer.projections).weight[-6:] *= 10  # of the values
        after = mixer.shares(hidden)
    assert before is not None
    assert after is not None
    torch.testing.assert_close(after, before)


def test_input_gates_that_are_all_but_shut_have_finite_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The mLSTM divides by exp(-m_t), which float32 does not hold from m_t = -89 on."""
    model = small("mlstm")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("input_gate.bias"):
                weight.fill_(-95)
    inputs = random(STEPS, BATCH, INPUTS)
    logits, gradients = slopes(model, inputs.float())
    monkeypatch.setattr("ntmbench.baselines.linear.mlstm.GREATEST", 700.0)  # float64 holds more
    expected, exact = slopes(copy.deepcopy(model).double(), inputs)
    assert torch.allclose(logits.double(), expected, atol=1e-5)
    for gradient, of_double in zip(gradients, exact, strict=True):
        assert torch.allclose(gradient.double(), of_double, rtol=1e-3, atol=1e-4)

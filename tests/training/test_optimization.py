"""The optimizer: learning rate, steps by hand, clipping, and averaged weights."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from ntmbench.training.optimizers import (
    CompiledOptimizer,
    Optimizer,
    TorchOptimizer,
    decay_at,
    learning_rate_at,
    make_optimizer,
)
from ntmbench.training.settings import TrainSettings
from tests.tiny import lstm, settings

# --- Learning rate. ---


def schedule(**changes: Any) -> TrainSettings:
    """101 steps, from 2 to 0.2 if the schedule falls."""
    fixed = {"sequences": 404, "batch_size": 4, "learning_rate": 2.0, "final_learning_rate": 0.1}
    return TrainSettings(**{**fixed, **changes})


@pytest.mark.parametrize(
    ("name", "step", "rate"),
    [
        ("constant", 0, 2.0),
        ("constant", 100, 2.0),
        ("linear", 0, 2.0),
        ("linear", 25, 0.2 + 1.8 * 0.75),
        ("linear", 50, 1.1),
        ("linear", 100, 0.2),
        ("cosine", 0, 2.0),
        ("cosine", 25, 0.2 + 1.8 * (1 + math.sqrt(0.5)) / 2),
        ("cosine", 50, 1.1),
        ("cosine", 100, 0.2),
    ],
)
def test_schedule(name: str, step: int, rate: float) -> None:
    assert learning_rate_at(step, schedule(schedule=name)) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
def test_warm_up_rises_evenly_from_zero_and_then_the_schedule_begins(name: str) -> None:
    warmed = schedule(schedule=name, warmup_sequences=40)
    rates = [learning_rate_at(step, warmed) for step in range(101)]
    assert rates[:10] == pytest.approx([2 * (step + 1) / 11 for step in range(10)])
    assert rates[10] == 2
    assert rates[55] == pytest.approx(2 if name == "constant" else 1.1)
    assert rates[100] == pytest.approx(2 if name == "constant" else 0.2)


@given(
    name=st.sampled_from(["constant", "linear", "cosine"]),
    sequences=st.integers(1, 300),
    batch_size=st.integers(1, 20),
    warmup=st.integers(0, 400),
    final=st.floats(0, 1),
)
def test_learning_rate_stays_in_range_and_never_rises_after_warm_up(
    name: str, sequences: int, batch_size: int, warmup: int, final: float
) -> None:
    chosen = TrainSettings(
        sequences=sequences,
        batch_size=batch_size,
        learning_rate=1.0,
        schedule=name,
        warmup_sequences=warmup,
        final_learning_rate=final,
    )
    rates = [learning_rate_at(step, chosen) for step in range(chosen.steps)]
    assert all(0 <= rate <= 1 for rate in rates)
    after = rates[math.ceil(warmup / batch_size) :]
    assert all(later <= earlier for earlier, later in itertools.pairwise(after))
    assert name == "constant" or len(after) < 2 or after[-1] == pytest.approx(final, abs=1e-12)


# --- The optimizer. ---

KINDS: list[type[Optimizer]] = [CompiledOptimizer, TorchOptimizer]


def linear(*weights: float) -> nn.Linear:
    model = nn.Linear(len(weights), 1, bias=False)
    model.weight.data = torch.tensor([weights])
    return model


def apply(optimizer: Optimizer, step: int, gradient: Tensor) -> None:
    optimizer.zero_gradient()
    (weight,) = optimizer.weights
    weight.grad = gradient.clone()
    assert optimizer.step(step)


@pytest.mark.parametrize("kind", KINDS)
def test_rmsprop_by_hand(kind: type[Optimizer]) -> None:
    """Graves 2013, equations 38 to 45, but for the place of epsilon (outside the root)."""
    model = linear(1.0)
    chosen = settings(
        optimizer="rmsprop",
        learning_rate=0.1,
        schedule="constant",
        smoothing=0.5,
        momentum=0.5,
        epsilon=0.25,
        clip_norm=0,
    )
    optimizer = kind(model, chosen)
    apply(optimizer, 0, torch.tensor([[2.0]]))
    # Mean square 2, mean 1, so the deviation is 1 and the velocity 2 / 1.25.
    assert model.weight.item() == pytest.approx(1 - 0.1 * 1.6)
    apply(optimizer, 1, torch.tensor([[-3.0]]))
    # Mean square 5.5, mean -1.
    velocity = 0.5 * 1.6 - 3 / (math.sqrt(5.5 - 1) + 0.25)
    assert model.weight.item() == pytest.approx(1 - 0.1 * 1.6 - 0.1 * velocity)


@pytest.mark.parametrize("kind", KINDS)
def test_adam_by_hand(kind: type[Optimizer]) -> None:
    model = linear(1.0)
    chosen = settings(
        optimizer="adam",
        learning_rate=0.1,
        schedule="constant",
        momentum=0.5,
        smoothing=0.75,
        epsilon=0.25,
        clip_norm=0,
    )
    optimizer = kind(model, chosen)
    apply(optimizer, 0, torch.tensor([[2.0]]))
    assert model.weight.item() == pytest.approx(1 - 0.1 * 2 / (2 + 0.25))
    apply(optimizer, 1, torch.tensor([[-3.0]]))
    mean = (0.5 * 1 - 0.5 * 3) / (1 - 0.5**2)
    square = (0.75 * 1 + 0.25 * 9) / (1 - 0.75**2)
    assert model.weight.item() == pytest.approx(
        1 - 0.1 * 2 / 2.25 - 0.1 * mean / (math.sqrt(square) + 0.25)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_scales_the_whole_gradient_down_to_the_limit(kind: type[Optimizer]) -> None:
    gradient = torch.tensor([[30.0, 40.0]])
    chosen = {"epsilon": 1.0, "learning_rate": 0.1, "schedule": "constant"}
    clipped, scaled, free = (linear(0.0, 0.0) for _ in range(3))
    apply(kind(clipped, settings(clip_norm=5, **chosen)), 0, gradient)
    apply(kind(scaled, settings(clip_norm=5, **chosen)), 0, gradient / 10)
    apply(kind(free, settings(clip_norm=0, **chosen)), 0, gradient)
    assert torch.allclose(clipped.weight, scaled.weight, rtol=1e-6)
    assert free.weight.abs().min() > 1.5 * clipped.weight.abs().max()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("norm", "clipped"), [(0, [3.0, -3.0, 1.0]), (math.sqrt(19) / 2, [1.5, -1.5, 0.5])]
)
def test_each_number_is_clipped_before_the_norm(
    kind: type[Optimizer], norm: float, clipped: list[float]
) -> None:
    chosen = {"epsilon": 1.0, "learning_rate": 0.1, "schedule": "constant"}
    first, second = linear(0.0, 0.0, 0.0), linear(0.0, 0.0, 0.0)
    by_value = settings(clip_value=3, clip_norm=norm, **chosen)
    apply(kind(first, by_value), 0, torch.tensor([[30.0, -40.0, 1.0]]))
    apply(kind(second, settings(clip_norm=0, **chosen)), 0, torch.tensor([clipped]))
    assert torch.allclose(first.weight, second.weight, rtol=1e-5)
    assert first.weight.abs().min() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_counts_the_gradient_of_all_weights(kind: type[Optimizer]) -> None:
    chosen = {"epsilon": 1.0, "learning_rate": 0.1, "schedule": "constant"}
    weights = torch.tensor([[1.0, 2.0], [2.0, 0.0]])
    bias = torch.tensor([0.0, 4.0])  # a norm of 5 with the weights
    models = [nn.Linear(2, 2), nn.Linear(2, 2)]
    models[1].load_state_dict(models[0].state_dict())
    for model, factor, clip_norm in ((models[0], 1.0, 2.5), (models[1], 0.5, 0.0)):
        optimizer = kind(model, settings(clip_norm=clip_norm, **chosen))
        model.weight.grad, model.bias.grad = weights * factor, bias * factor
        assert optimizer.step(0)
    assert torch.allclose(models[0].weight, models[1].weight, rtol=1e-5)
    assert torch.allclose(models[0].bias, models[1].bias, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clip", [{}, {"clip_norm": 0}, {"clip_norm": 0, "clip_value": 10}])
def test_gradient_that_is_not_finite_changes_nothing(
    kind: type[Optimizer], bad: float, clip: dict[str, float]
) -> None:
    model = linear(1.0, 2.0)
    optimizer = kind(model, settings(weight_average=0.9, **clip))
    before = model.weight.detach().clone()
    model.weight.grad = torch.tensor([[0.0, bad]])
    assert not optimizer.step(0)
    assert torch.equal(model.weight, before)
    with optimizer.averaged():
        assert torch.equal(model.weight, before)


@pytest.mark.parametrize("kind", KINDS)
def test_weight_average_by_hand(kind: type[Optimizer]) -> None:
    model = linear(1.0, -1.0)
    optimizer = kind(model, settings(weight_average=0.25, learning_rate=0.1))
    average = model.weight.detach().clone()
    generator = torch.Generator().manual_seed(0)
    for step in range(8):
        apply(optimizer, step, torch.randn(1, 2, generator=generator))
        # The decay rises 1/10, 2/11, 3/12 to its value.
        decay = [0.1, 2 / 11, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25][step]
        assert decay_at(step, 0.25) == pytest.approx(decay)
        average = decay * average + (1 - decay) * model.weight.detach()
        own = model.weight.detach().clone()
        with optimizer.averaged():
            assert torch.allclose(model.weight, average, rtol=1e-5)
            assert not torch.equal(model.weight, own)
        assert torch.equal(model.weight, own)


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_compiled_and_torch_optimizers_agree(name: str) -> None:
    chosen = settings(
        optimizer=name, weight_average=0.9, clip_norm=2, learning_rate=0.01, schedule="cosine"
    )
    models = [lstm(), lstm()]
    first, second = (kind(m, chosen) for kind, m in zip(KINDS, models, strict=True))
    generator = torch.Generator().manual_seed(0)
    for step in range(10):
        gradients = [torch.randn(w.shape, generator=generator) / 4 for w in first.weights]
        for optimizer in (first, second):
            for weight, gradient in zip(optimizer.weights, gradients, strict=True):
                weight.grad = gradient.clone()
            assert optimizer.step(step)
    with first.averaged(), second.averaged():
        for left, right in zip(first.weights, second.weights, strict=True):
            assert torch.allclose(left, right, rtol=1e-4, atol=1e-6)
    for left, right in zip(first.weights, second.weights, strict=True):
        assert torch.allclose(left, right, rtol=1e-4, atol=1e-6)


def test_float64_weights_are_left_to_torch() -> None:
    assert isinstance(make_optimizer(linear(1.0), settings()), CompiledOptimizer)
    assert isinstance(make_optimizer(linear(1.0).double(), settings()), TorchOptimizer)

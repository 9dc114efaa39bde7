"""Mamba 2 against fla-core, and against the sum over all pairs of steps."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from ntmbench.baselines.linear.blocks import Block, BlockModel, Operands
from ntmbench.baselines.linear.timescales import LONGEST, SHORTEST, step_bias
from ntmbench.registry import make_model
from tests.baselines.oracles import fla
from tests.baselines.oracles.mixers import (
    batch_first,
    check_answers,
    check_same,
    first_mixer,
    inputs,
)

SIZES = {"hidden_size": 6, "state_size": 5}


def test_answers_are_those_of_fla() -> None:
    theirs = fla.load("simple_gla/naive.py").naive_chunk_simple_gla
    mixer: Any = first_mixer("mamba2", **SIZES)

    def oracle(made: Operands, hidden: Tensor) -> Tensor:
        step = functional.softplus((hidden @ mixer.up.weight.T)[..., -2:] + mixer.step_bias)
        rates = -mixer.log_rates.exp() * step
        parts = (batch_first(part) for part in (made.query, made.key, made.value, rates))
        return batch_first(theirs(*parts, scale=1.0, chunk_size=4)[0])

    check_answers(mixer, 6, oracle)


def test_a_layer_is_the_sum_over_all_pairs_of_steps() -> None:
    mixer: Any = first_mixer("mamba2", **SIZES)
    hidden = inputs(6)
    steps, batch_size, _ = hidden.shape
    heads, size, columns = mixer.heads, mixer.size, mixer.columns
    inner = heads * size
    made = hidden @ mixer.up.weight.T
    seen = torch.nn.Conv1d(inner + 2 * columns, inner + 2 * columns, 4, groups=inner + 2 * columns)
    kernel = {"weight": mixer.convolution.weight.unsqueeze(1), "bias": mixer.convolution.bias}
    padded = functional.pad(made[..., inner:-heads].permute(1, 2, 0), (3, 0))
    convolved = torch.func.functional_call(seen, kernel, padded).permute(2, 0, 1)
    convolved = convolved * torch.sigmoid(convolved)
    x = convolved[..., :inner].reshape(steps, batch_size, heads, size)
    b, c = convolved[..., inner : inner + columns], convolved[..., inner + columns :]
    lengths = torch.log1p(torch.exp(made[..., -heads:] + mixer.step_bias))
    rows = []
    for t in range(steps):
        total = mixer.direct.view(heads, 1) * x[t]
        for s in range(t + 1):
            faded = torch.exp(-mixer.log_rates.exp() * lengths[s + 1 : t + 1].sum(dim=0))
            weight = (c[t] * b[s]).sum(dim=1, keepdim=True) * faded * lengths[s]  # [B, H]
            total = total + weight.unsqueeze(2) * x[s]
        gate = made[t, :, :inner]
        gated = total.flatten(1) * gate * torch.sigmoid(gate)
        mean = gated.square().mean(dim=1, keepdim=True)
        rows.append(mixer.norm.weight * gated / torch.sqrt(mean + 1e-5))
    expected = torch.stack(rows) @ mixer.down.weight.T
    check_same(mixer(hidden), expected, mixer, hidden)


def test_maps_down_start_smaller_the_more_blocks_there_are() -> None:
    """As in ``_init_weights`` of state-spaces/mamba, with ``rescale_prenorm_residual``."""
    for layers in (1, 4):
        model = make_model("mamba2", 3, 2, hidden_size=32, layers=layers)
        assert isinstance(model, BlockModel)
        limit = (2 * 32 * layers) ** -0.5  # PyTorch's is the root of 1 / inputs
        for block in model.blocks:
            mixer: Any = cast(Block, block).mixer
            assert 0.95 * limit < mixer.down.weight.abs().max() <= limit


def test_steps_start_between_a_thousandth_and_a_tenth() -> None:
    steps = functional.softplus(step_bias(1000))
    assert 0.99 * SHORTEST <= steps.min() < 2 * SHORTEST
    assert LONGEST / 2 < steps.max() <= 1.01 * LONGEST
    assert 0.3 < (steps < 0.01).double().mean() < 0.7  # log-uniform

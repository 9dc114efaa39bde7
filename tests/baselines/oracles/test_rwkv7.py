"""RWKV-7 against fla-core's generalised delta rule, and against plain loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from ntmbench.baselines.linear.blocks import Operands
from ntmbench.registry import make_model
from tests.baselines.oracles import fla
from tests.baselines.oracles.mixers import (
    BATCH,
    STEPS,
    check_answers,
    check_same,
    first_mixer,
    inputs,
    mixers,
)

HIDDEN, HEADS, SIZE = 6, 2, 3


def test_answers_are_those_of_fla() -> None:
    theirs = fla.load("generalized_delta_rule/dplr/naive.py").dplr_recurrence
    mixer = first_mixer("rwkv7", hidden_size=HIDDEN, rank=4)

    def oracle(made: Operands, hidden: Tensor) -> Tensor:
        assert made.decay is not None
        assert made.erase is not None
        removed, corrected = made.erase
        parts = (
            made.query * SIZE**0.5,  # theirs divides by it
            made.key,
            made.value,
            -removed,
            corrected,
            made.decay.log(),
        )
        answers, _ = theirs(*(part.permute(1, 2, 0, 3) for part in parts))  # [B, H, T, size]
        answers = answers.permute(2, 0, 1, 3)
        assert isinstance(answers, Tensor)
        return answers

    check_answers(mixer, HIDDEN, oracle)


@pytest.mark.parametrize("layer", [0, 1])
def test_a_layer_is_that_of_plain_loops(layer: int) -> None:
    mixer: Any = mixers("rwkv7", hidden_size=HIDDEN, rank=4)[layer]
    hidden = inputs(HIDDEN)
    first = inputs(HEADS * SIZE).detach().view(STEPS, BATCH, HEADS, SIZE)  # of the first layer
    rows = []
    for number, sequence in enumerate(hidden.unbind(dim=1)):  # [T, hidden]
        states = [torch.zeros(SIZE, SIZE, dtype=torch.float64) for _ in range(HEADS)]
        before = torch.zeros(HIDDEN, dtype=torch.float64)
        outputs = []
        for x, value in zip(sequence, first[:, number].flatten(1), strict=True):
            r_in, w_in, k_in, v_in, a_in, g_in = (
                (1 - share) * x + share * before for share in mixer.mixing
            )
            before = x
            r, k, v = (
                linear.weight @ given
                for linear, given in (
                    (mixer.receptance, r_in),
                    (mixer.key, k_in),
                    (mixer.value, v_in),
                )
            )
            if layer > 0:
                taken = mixer.residual_bias + v_in @ mixer.residual.down @ mixer.residual.up
                v = v + (value - v) * torch.sigmoid(taken)
            d = mixer.decay_bias + torch.tanh(w_in @ mixer.decay.down) @ mixer.decay.up
            # The soft clamp of the paper's code: d' = -softplus(-d) - 1/2.
            w = torch.exp(-torch.exp(-torch.log1p(torch.exp(-d)) - 0.5))
            a = torch.sigmoid(mixer.rate_bias + a_in @ mixer.rate.down @ mixer.rate.up)
            g = torch.sigmoid(g_in @ mixer.gate.down) @ mixer.gate.up
            read = []
            for h in range(HEADS):
                own = slice(h * SIZE, (h + 1) * SIZE)
                c = (k * mixer.removal)[own]
                c = c / c.square().sum().sqrt()
                new = k[own] * (1 + (a[own] - 1) * mixer.replacement[own])
                change = torch.diag(w[own]) - torch.outer(c, a[own] * c)
                states[h] = states[h] @ change + torch.outer(v[own], new)
                o = states[h] @ r[own]
                o = (o - o.mean()) / torch.sqrt(o.var(unbiased=False) + 64e-5)
                o = o * mixer.norm.weight[own] + mixer.norm.bias[own]
                read.append(o + (r[own] * mixer.bonus[h] * new).sum() * v[own])
            outputs.append(mixer.output.weight @ (torch.cat(read) * g))
        rows.append(torch.stack(outputs))
    below = [] if layer == 0 else [replace(mixer.operands(hidden), value=first)]
    expected = torch.stack(rows, dim=1)
    check_same(mixer(hidden, below), expected, mixer, hidden)


def test_upper_layers_take_over_values_of_the_first() -> None:
    lower, upper = mixers("rwkv7", hidden_size=HIDDEN, rank=4)
    hidden, below = inputs(HIDDEN), list[Operands]()
    lower(hidden, below)
    upper(hidden, below)
    assert torch.equal(below[0].value, lower.operands(hidden).value)
    assert not torch.allclose(below[1].value, upper.operands(hidden).value)


@pytest.mark.parametrize("rank", [4, 32])
def test_weights_start_as_in_the_papers_code(rank: int) -> None:
    """What ``generate_init_weight`` and the constructors of RWKV-v7/train_temp have."""
    model: Any = make_model("rwkv7", 3, 20, hidden_size=16, heads=2, layers=3, rank=rank)
    for layer, block in enumerate(model.blocks):
        mixer, feedforward = block.mixer, block.feedforward
        for weight, gain in (
            (mixer.receptance.weight, 1),
            (mixer.key.weight, 0.1),
            (mixer.value.weight, 1),
            (feedforward.up.weight, 1),
            (mixer.decay.up, 0.1 * max(rank / 16, 1) ** 0.5),
            (mixer.gate.up, 0.1 * max(rank / 16, 1) ** 0.5),
        ):
            narrow = weight if len(weight) <= len(weight.T) else weight.T
            torch.testing.assert_close(narrow @ narrow.T, gain**2 * torch.eye(len(narrow)))
        assert not mixer.output.weight.any()
        assert not feedforward.down.weight.any()
        assert not mixer.decay.down.any()
        factors = torch.full_like(mixer.norm.weight, ((1 + layer) / 3) ** 0.7)
        torch.testing.assert_close(mixer.norm.weight, factors)
    logits = model.output.weight
    torch.testing.assert_close(logits.T @ logits, 0.25 * 20 / 16 * torch.eye(16))
    assert not model.output.bias.any()

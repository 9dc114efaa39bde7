"""RWKV-7 against fla-core's generalised delta rule, and against plain loops."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ntmbench.baselines.linear.blocks import Operands
from tests.baselines.oracles import fla
from tests.baselines.oracles.mixers import check_answers, check_same, first_mixer, inputs

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


def test_a_layer_is_that_of_plain_loops() -> None:
    mixer: Any = first_mixer("rwkv7", hidden_size=HIDDEN, rank=4)
    hidden = inputs(HIDDEN)
    rows = []
    for sequence in hidden.unbind(dim=1):  # [T, hidden]
        states = [torch.zeros(SIZE, SIZE, dtype=torch.float64) for _ in range(HEADS)]
        before = torch.zeros(HIDDEN, dtype=torch.float64)
        outputs = []
        for x in sequence:
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
    check_same(mixer(hidden), torch.stack(rows, dim=1), hidden)

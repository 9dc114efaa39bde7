"""The delta rule, with its gate and its products, against fla-core."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ntmbench.baselines.linear.blocks import Operands
from ntmbench.baselines.linear.delta import DeltaMixer
from tests.baselines.oracles import fla
from tests.baselines.oracles.mixers import batch_first, check_answers, first_mixer, inputs


def strengths(mixer: DeltaMixer, hidden: Tensor) -> Tensor:
    """The beta of the equations, ``[B, T * n, H]``, worked out beside the mixer."""
    made = mixer.reach * torch.sigmoid(hidden @ mixer.strength.weight.T)  # [T, B, n * H]
    return batch_first(made).reshape(made.shape[1], -1, mixer.heads)


def values(mixer: DeltaMixer, hidden: Tensor) -> Tensor:
    """The v of the equations, ``[B, T * n, H, V]``, which the operands hold times beta."""
    made = mixer.value_convolution(mixer.value(hidden))  # [T, B, n * H * V]
    return batch_first(made).reshape(made.shape[1], -1, mixer.heads, mixer.value_size)


def log_decays(mixer: DeltaMixer, hidden: Tensor) -> Tensor | None:
    """The logarithms of alpha, ``[B, T, H]``."""
    if mixer.forgetting is None:
        return None
    gates = mixer.forgetting
    steps = functional.softplus(hidden @ gates.steps.weight.T + gates.step_bias)
    return batch_first(-gates.log_rates.exp() * steps)


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("delta_net", {}),
        ("gated_delta_net", {}),
        ("delta_product", {"product": 1}),
        ("delta_product", {"product": 3}),
        ("delta_product", {"product": 2, "forgetting": True}),
    ],
)
def test_answers_are_those_of_fla(model: str, settings: dict[str, object], negative: bool) -> None:
    theirs = fla.load("gated_delta_product/naive.py").naive_recurrent_gated_delta_product
    mixer = first_mixer(model, hidden_size=6, negative_eigenvalues=negative, **settings)
    assert isinstance(mixer, DeltaMixer)

    def oracle(made: Operands, hidden: Tensor) -> Tensor:
        answers, _ = theirs(
            batch_first(made.query),
            batch_first(made.key),
            values(mixer, hidden),
            log_decays(mixer, hidden),
            strengths(mixer, hidden),
            scale=1.0,
            num_householder=mixer.every,
        )
        return batch_first(answers)

    check_answers(mixer, 6, oracle)


def test_the_gated_delta_rule_is_that_of_fla() -> None:
    theirs = fla.load("gated_delta_rule/naive.py").naive_recurrent_gated_delta_rule
    mixer = first_mixer("gated_delta_net", hidden_size=6)
    assert isinstance(mixer, DeltaMixer)

    def oracle(made: Operands, hidden: Tensor) -> Tensor:
        answers, _ = theirs(
            batch_first(made.query),
            batch_first(made.key),
            values(mixer, hidden),
            beta=strengths(mixer, hidden),
            g=log_decays(mixer, hidden),
            scale=1.0,
        )
        return batch_first(answers)

    check_answers(mixer, 6, oracle)


def test_keys_have_length_one_and_strengths_reach_two_if_asked() -> None:
    hidden = 20 * inputs(6, steps=50)
    for negative, most in ((False, 1.0), (True, 2.0)):
        mixer = first_mixer("delta_net", hidden_size=6, negative_eigenvalues=negative)
        made = mixer.operands(hidden)
        assert made.erase is not None
        lengths = made.key.norm(dim=3)
        torch.testing.assert_close(lengths, torch.ones_like(lengths))
        largest = float(made.erase[1].detach().norm(dim=3).max())
        assert 0.95 * most < largest <= most

"""What the stack-augmented network starts from."""

from __future__ import annotations

import torch

from ntmbench.baselines.memory.stack_rnn import StackRNN, StackRNNSettings


def drawn(seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return dict(StackRNN(10, 8, StackRNNSettings(hidden_size=120)).named_parameters())


def test_weights_start_as_sums_of_three_uniform_numbers_and_biases_at_zero() -> None:
    for name, weight in drawn(1).items():
        if name.endswith("bias"):
            assert not weight.any()
        else:
            assert weight.abs().max() < 0.3
            # Three variances of a uniform number between -0.1 and 0.1: 3 * 0.2^2 / 12 = 0.1^2.
            assert abs(float(weight.detach().std()) - 0.1) < 0.01


def test_a_seed_gives_the_same_weights_again() -> None:
    first, again, other = drawn(1), drawn(1), drawn(2)
    assert all(torch.equal(weight, again[name]) for name, weight in first.items())
    assert not torch.equal(first["hidden.weight"], other["hidden.weight"])

"""The random numbers that an NTM begins with."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import torch

from ntmbench.ntm.beginning import initialised_linear, normal_numbers
from ntmbench.ntm.initial import MEMORY_SPREAD
from ntmbench.ntm.model import NTM


def test_weights_are_uniform_within_xaviers_bound() -> None:
    torch.manual_seed(1)
    weight = initialised_linear(90, 60).weight.detach()
    bound = math.sqrt(6 / (90 + 60))
    assert weight.shape == (60, 90)
    assert float(weight.abs().max()) <= bound
    assert float(weight.var()) == pytest.approx(bound**2 / 3, rel=0.05)
    share = (weight.flatten().numpy() / bound + 1) / 2
    assert scipy.stats.kstest(share, "uniform").pvalue > 1e-3


def test_biases_are_zero_but_for_the_forget_gates() -> None:
    model = NTM(3, 2, controller_size=5, memory_slots=4, word_size=3)
    layer = model.get_parameter("cell.controller.layers.0.linear.bias")
    assert layer.tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10
    assert not model.get_parameter("cell.heads.bias").any()
    assert not model.get_parameter("output.bias").any()


def test_a_learned_memory_is_normal() -> None:
    torch.manual_seed(2)
    memory = NTM(3, 2, memory_slots=100, word_size=50, initial_memory="learned").first_memory
    numbers = memory.detach().flatten().numpy() / MEMORY_SPREAD
    assert scipy.stats.kstest(numbers, "norm").pvalue > 1e-3


def test_each_tensor_has_numbers_of_its_own_from_pytorchs_generator() -> None:
    def two() -> list[torch.Tensor]:
        return [normal_numbers(3, 4, 1.0) for _ in range(2)]

    torch.manual_seed(1)
    first, second = two()
    torch.manual_seed(1)
    again, _ = two()
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_nothing_is_drawn_where_there_are_no_numbers() -> None:
    before = torch.get_rng_state()
    with torch.device("meta"):
        assert initialised_linear(10**6, 10**6).weight.is_meta
    assert torch.equal(torch.get_rng_state(), before)

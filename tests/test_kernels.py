"""The fused engine against the eager one: outputs, gradients, extremes, threads, training."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ntmbench.ntm.kernels import engine, jit
from ntmbench.ntm.model import NTM
from ntmbench.settings import SettingError

INPUTS, OUTPUTS = 3, 2

SETTINGS = st.fixed_dictionaries(
    {
        "controller": st.sampled_from(["lstm", "feedforward"]),
        "controller_size": st.integers(1, 40),
        "controller_layers": st.integers(1, 3),
        "memory_slots": st.integers(2, 40),
        "word_size": st.integers(1, 10),
        "read_heads": st.integers(1, 4),
        "write_heads": st.integers(1, 4),
        "shift_width": st.sampled_from([1, 3, 5, 9]),
        "initial_memory": st.sampled_from(["constant", "learned", "random"]),
        "initial_weighting": st.sampled_from(["one_hot", "uniform", "learned"]),
        "initial_state": st.sampled_from(["zeros", "learned"]),
    }
)
SMALL: dict[str, Any] = {"controller_size": 5, "memory_slots": 4, "word_size": 3}
LEARNED: dict[str, Any] = {
    "initial_memory": "learned",
    "initial_weighting": "learned",
    "initial_state": "learned",
}


def pair(seed: int = 0, dtype: torch.dtype = torch.float64, **overrides: Any) -> tuple[NTM, NTM]:
    """The same machine on both engines, its weights a little away from their start."""
    torch.manual_seed(seed)
    fused = NTM(INPUTS, OUTPUTS, **overrides, engine="fused").to(dtype)
    with torch.no_grad():
        for parameter in fused.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    eager = NTM(INPUTS, OUTPUTS, **overrides, engine="eager").to(dtype)
    eager.load_state_dict(fused.state_dict())
    return fused, eager


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(7))


def gradients(model: NTM, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits, and the gradients of a random projection of them."""
    inputs = inputs.clone().requires_grad_()
    model.zero_grad()
    logits = model(inputs)
    (logits * draw(*logits.shape, dtype=logits.dtype)).sum().backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    found["inputs"] = inputs.grad
    assert all(gradient is not None for gradient in found.values())
    return logits.detach(), {name: g.clone() for name, g in found.items() if g is not None}


def assert_agreement(fused: NTM, eager: NTM, inputs: Tensor, tolerance: float) -> None:
    logits, found = gradients(fused, inputs)
    expected_logits, expected = gradients(eager, inputs)
    torch.testing.assert_close(logits, expected_logits, rtol=tolerance, atol=tolerance)
    # Relative to each tensor's largest gradient, and to the largest of all where that is tiny.
    floor = 1e-3 * max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in expected.items():
        scale = max(float(gradient.abs().max()), floor)
        error = float((found[name] - gradient).abs().max()) / scale
        assert error <= tolerance, (name, error)


@settings(max_examples=120, deadline=None)
@given(SETTINGS, st.integers(1, 12), st.integers(1, 18), st.integers(0, 2**16))
def test_agrees_with_eager_in_float64(
    overrides: dict[str, Any], steps: int, batch: int, seed: int
) -> None:
    fused, eager = pair(seed, **overrides)
    assert_agreement(fused, eager, draw(steps, batch, INPUTS), 1e-9)


@settings(max_examples=40, deadline=None)
@given(SETTINGS, st.integers(1, 8), st.integers(1, 18), st.integers(0, 2**16))
def test_agrees_with_eager_in_float32(
    overrides: dict[str, Any], steps: int, batch: int, seed: int
) -> None:
    fused, eager = pair(seed, torch.float32, **overrides)
    assert_agreement(fused, eager, draw(steps, batch, INPUTS, dtype=torch.float32), 1e-4)


@settings(max_examples=30, deadline=None)
@given(SETTINGS, st.integers(2, 70))
def test_agrees_with_a_resized_memory(overrides: dict[str, Any], slots: int) -> None:
    fused, eager = pair(**overrides)
    fused.memory_slots = eager.memory_slots = slots
    assert_agreement(fused, eager, draw(4, 2, INPUTS), 1e-9)


def test_agrees_at_the_sizes_of_the_paper() -> None:
    for overrides in ({}, {"read_heads": 5, "write_heads": 5, "controller_layers": 2}):
        fused, eager = pair(torch_float := 3, torch.float32, **overrides)
        del torch_float
        assert_agreement(fused, eager, draw(20, 9, INPUTS, dtype=torch.float32), 1e-4)
